// One temperature for the logits of a head, so that probabilities are as often right as they say.
import { TransferKitError } from '../core/errors.ts';
import type { Decision } from '../model/tasks/task.ts';
import { tasks, type CalibratedTask } from '../model/tasks/tasks.ts';
import type { Judgement } from './measure.ts';
import { monotoneRoot } from './monotoneRoot.ts';

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
export function fitTemperature(verb: string, task: CalibratedTask, said: readonly Said[]): number {
  const weighed = said.filter(({ weight }) => weight > 0);
  const slope = (inverse: number) => weighed.reduce((sum, each) => sum + each.weight * slopeOf(task, each, inverse), 0);
  const { temperature } = tasks[task];
  const regret = weighed.reduce(
    (sum, { logits, target, weight }) => sum + weight * temperature.regret(logits, target),
    0,
  );
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
export function calibrationFigures(task: CalibratedTask, said: readonly Said[], temperature = 1): CalibrationFigures {
  const { temperature: rules, rowLoss } = tasks[task];
  const cooled = said.map(({ logits, target, weight }) => ({ logits: divide(logits, temperature), target, weight }));
  const losses = cooled.map(({ logits, target, weight }) => {
    return (weight * rowLoss(logits.slice(), target)) / rules.losses(logits.length);
  });
  return {
    loss: losses.reduce((sum, loss) => sum + loss, 0) / said.length,
    expectedCalibrationError: calibrationError(
      cooled.flatMap(({ logits, target, weight }) =>
        rules.decisions(logits, target).map((each) => ({ ...each, weight })),
      ),
    ),
  };
}

/** Logits divided by a temperature. */
function divide(logits: Float32Array, temperature: number): Float32Array {
  return logits.map((logit) => logit / temperature);
}

/** Derivative of one example's loss by the inverse temperature. */
function slopeOf(task: CalibratedTask, { logits, target }: Said, inverse: number): number {
  const gradient = logits.map((logit) => logit * inverse);
  tasks[task].rowLoss(gradient, target);
  return gradient.reduce((sum, each, unit) => sum + each * (logits[unit] ?? 0), 0);
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
