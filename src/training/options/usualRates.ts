// The default learning rates of fineTune.
import type { Samples } from '../../core/types.ts';
import { assertSamples } from '../../model/checkLabels.ts';
import type { SettledOptions } from './options.ts';
import type { LearningRates } from './rates.ts';
import { stepsOf } from './scheduleFactor.ts';

/** Number of steps from which a run uses the optimizer's own rate. */
const longRun = 500;

/**
 * The optimizer's own rate for the head and the last stage of the base, a tenth of it for the first stage. For a run of
 * fewer than 500 steps they are reduced in proportion, at most to a tenth: a short run cannot repair the damage that a
 * high rate does to pretrained weights (figures: docs/accuracy.md).
 *
 * @throws TransferKitError `INVALID_OPTION` if `samples` are not samples.
 */
export function usualRates(samples: Samples, options: SettledOptions): LearningRates {
  assertSamples(samples);
  const { optimizer, validation } = options;
  const examples = samples.size * (typeof validation === 'number' ? 1 - validation : 1);
  const share = Math.min(1, Math.max(0.1, stepsOf(options, examples) / longRun));
  const highest = optimizer.defaultLearningRate * share;
  return { base: [highest / 10, highest], head: highest };
}
