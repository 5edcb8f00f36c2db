// One temperature for the logits of a head, so that probabilities are as often right as they say.
import { TransferKitError } from '../core/errors.ts';
import type { TaskName } from '../model/model.ts';
import type { Judgement } from './measure.ts';
import { monotoneRoot } from './monotoneRoot.ts';
import { rowLosses } from '../model/tasks/rowLosses.ts';
import { argMax, taskRules } from '../model/tasks/taskRules.ts';

/** How well probabilities fit what is true. */
export interface CalibrationFigures {
  /** Mean cross-entropy. */
  readonly loss: number;
  /**
   * Mean distance between how probable decisions are said to be and how many are right, over 15 ranges of probability, each
   * by its decisions and their examples' weights: 0 is best. Of `multiLabel` and `binary` heads each label is a decision, at one half.
   *
   * Guo et al., "On Calibration of Modern Neural Networks", 2017, section 2.
   */
  readonly expectedCalibrationError: number;
}

type Said = Pick<Judgement, 'logits' | 'target' | 'weight'>;

/**
 * The temperature that makes the mean cross-entropy of `logits / temperature` smallest. The loss is convex in its inverse.
 *
 * @throws TransferKitError `TOO_FEW_EXAMPLES` when every example is decided right, so that the colder the better;
 * `INVALID_OPTION` when the logits are no better than none.
 */
export function fitTemperature(verb: string, task: TaskName, said: readonly Said[]): number {
  const weighed = said.filter(({ weight }) => weight > 0);
  const slope = (inverse: number) => weighed.reduce((sum, each) => sum + each.weight * slopeOf(task, each, inverse), 0);
  const regret = weighed.reduce((sum, { logits, target, weight }) => sum + weight * regretOf(task, logits, target), 0);
  if (!(slope(0) < 0)) {
    const text = `${verb}: expected a model that does better than chance on the samples, got one that does not. Train it first.`;
    throw new TransferKitError('INVALID_OPTION', text);
  }
  if (!(regret > 0)) {
    const text =
      `${verb}: expected examples of which some are decided wrong, got ${String(said.length)} that are all right, for which ` +
      'every temperature is too high. Hold out more examples from training.';
    throw new TransferKitError('TOO_FEW_EXAMPLES', text, { examples: said.length });
  }
  return 1 / monotoneRoot(slope);
}

/** Figures of probabilities at a temperature. */
export function calibrationFigures(task: TaskName, said: readonly Said[], temperature = 1): CalibrationFigures {
  const cooled = said.map(({ logits, target, weight }) => ({ logits: divide(logits, temperature), target, weight }));
  const losses = cooled.map(({ logits, target, weight }) => {
    const units = task === 'classes' ? 1 : logits.length;
    return (weight * rowLosses[task](logits.slice(), target)) / units;
  });
  return {
    loss: losses.reduce((sum, loss) => sum + loss, 0) / said.length,
    expectedCalibrationError: calibrationError(
      cooled.flatMap(({ logits, target, weight }) =>
        decisionsOf(task, logits, target).map((each) => ({ ...each, weight })),
      ),
    ),
  };
}

/** Logits divided by a temperature. */
function divide(logits: Float32Array, temperature: number): Float32Array {
  return logits.map((logit) => logit / temperature);
}

/** Derivative of one example's loss by the inverse temperature. */
function slopeOf(task: TaskName, { logits, target }: Said, inverse: number): number {
  const gradient = logits.map((logit) => logit * inverse);
  rowLosses[task](gradient, target);
  return gradient.reduce((sum, each, unit) => sum + each * (logits[unit] ?? 0), 0);
}

/** What the slope becomes when it gets ever colder: by how much the largest logits are above those that are true. */
function regretOf(task: TaskName, logits: Float32Array, target: Float32Array): number {
  const gained = logits.reduce((sum, logit, unit) => sum + logit * (target[unit] ?? 0), 0);
  const most =
    task === 'classes' ? (logits[argMax(logits)] ?? 0) : logits.reduce((sum, logit) => sum + Math.max(logit, 0), 0);
  return most - gained;
}

interface Decision {
  /** Probability of what is decided. */
  readonly confidence: number;
  readonly isRight: boolean;
}

function decisionsOf(task: TaskName, logits: Float32Array, target: Float32Array): Decision[] {
  const probabilities = taskRules[task].outputs(logits);
  if (task === 'classes') {
    const decided = argMax(logits);
    return [{ confidence: probabilities[decided] ?? NaN, isRight: decided === argMax(target) }];
  }
  return Array.from(logits, (logit, unit) => {
    const probability = (task === 'binary' ? probabilities[1] : probabilities[unit]) ?? NaN;
    const confidence = Math.max(probability, 1 - probability);
    return { confidence, isRight: logit > 0 === (target[unit] ?? 0) > 0.5 };
  });
}

const ranges = 15;

/**
 * `Σ share of decisions · |share of right ones - mean confidence|` over ranges of confidence (lower, upper], each decision as
 * often as its weight says.
 */
function calibrationError(decisions: readonly (Decision & Pick<Said, 'weight'>)[]): number {
  const gaps = new Float64Array(ranges);
  let total = 0;
  for (const { confidence, isRight, weight } of decisions) {
    const range = Math.max(Math.ceil(confidence * ranges) - 1, 0);
    gaps[range] = (gaps[range] ?? 0) + weight * (Number(isRight) - confidence);
    total += weight;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
}
