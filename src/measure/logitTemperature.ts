// Temperature scaling of a head's logits, and figures of calibration.
import { TransferKitError } from '../core/errors.ts';
import type { HeadPart } from '../model/model.ts';
import type { Decision } from '../model/tasks/task.ts';
import { tasks, type CalibratedTask } from '../model/tasks/tasks.ts';
import type { Judgement } from './measure.ts';
import { monotoneRoot } from './monotoneRoot.ts';

/** Figures of how well probabilities are calibrated. */
export interface CalibrationFigures {
  /** Mean cross-entropy. */
  readonly loss: number;
  /**
   * Expected calibration error, 0 … 1; 0 is best: the mean distance between confidence and accuracy of decisions over
   * 15 bins of confidence, weighted by the decisions in each bin and their examples' weights. For `multiLabel` and
   * `binary` heads each label is a decision, with threshold 0.5.
   *
   * Guo et al., "On Calibration of Modern Neural Networks", 2017, section 2.
   */
  readonly expectedCalibrationError: number;
}

/** A head whose probabilities have a temperature. */
export interface CalibratedPart extends HeadPart {
  readonly task: CalibratedTask;
}

/** Whether a head has probabilities with a temperature. */
export function isCalibrated(part: HeadPart): part is CalibratedPart {
  return typeof tasks[part.task].temperature !== 'string';
}

type Said = Pick<Judgement, 'logits' | 'target' | 'weight'>;

/**
 * The temperature that minimises the mean cross-entropy of `logits / temperature`. The loss is convex in the inverse
 * temperature.
 *
 * @throws TransferKitError `TOO_FEW_EXAMPLES` if every example is predicted right, so that no temperature is best;
 * `INVALID_OPTION` if the logits are no better than constant ones.
 */
export function fitTemperature(task: CalibratedTask, said: readonly Said[]): number {
  const weighed = said.filter(({ weight }) => weight > 0);
  const slope = (inverse: number) => weighed.reduce((sum, each) => sum + each.weight * slopeOf(task, each, inverse), 0);
  const { temperature } = tasks[task];
  const regret = weighed.reduce(
    (sum, { logits, target, weight }) => sum + weight * temperature.regret(logits, target),
    0,
  );
  if (!(slope(0) < 0)) {
    const text = 'expected a model that does better than chance on the samples, got one that does not. Train it first.';
    throw new TransferKitError('INVALID_OPTION', text);
  }
  if (!(regret > 0)) {
    const text =
      `expected examples of which some are decided wrong, got ${String(said.length)} that are all right, for which ` +
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
 * `Σ share of decisions · |share of right ones - mean confidence|` over ranges of confidence (lower, upper], each
 * decision as often as its weight says.
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
