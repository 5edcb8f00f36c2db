// The learning rates of fineTune where nobody gives any.
import type { Samples } from '../../core/types.ts';
import { assertSamples } from '../../model/tasks/checkLabels.ts';
import type { SettledOptions } from './options.ts';
import type { LearningRates } from './rates.ts';
import { stepsOf } from './scheduleFactor.ts';

/** Steps from which on a run is long enough for the optimizer's own rate. */
const longRun = 500;

/**
 * The optimizer's own rate at the end of the base and for the head, a tenth of it at the beginning; less for a run of fewer than
 * 500 steps, in proportion, down to a tenth: a short run cannot mend what a high rate does to pretrained weights
 * (docs/accuracy.md has the figures that this rests on).
 *
 * @throws TransferKitError `INVALID_OPTION` for what are no samples.
 */
export function usualRates(verb: string, samples: Samples, options: SettledOptions): LearningRates {
  assertSamples(verb, samples);
  const { optimizer, validation } = options;
  const examples = samples.size * (typeof validation === 'number' ? 1 - validation : 1);
  const share = Math.min(1, Math.max(0.1, stepsOf(options, examples) / longRun));
  const highest = optimizer.defaultLearningRate * share;
  return { base: [highest / 10, highest], head: highest };
}
