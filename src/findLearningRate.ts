// The verb findLearningRate: a range test over learning rates that leaves the model unchanged.
import { nameErrors } from './core/edge.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import type { AnyModel } from './model/model.ts';
import type { Samples } from './core/types.ts';
import { unfreezeNow, type FreezeSelection } from './model/freezing.ts';
import { assertOptions } from './core/optionNames.ts';
import { whileChanged } from './model/uses.ts';
import type { LearningRateCurve, SweepOptions } from './training/run/sweepRates.ts';

/** Options of {@link findLearningRate}. */
export interface FindLearningRateOptions extends SweepOptions {
  /** Layers to unfreeze for the test, as for `fineTune`. Default: the layers of base and head that are unfrozen now. */
  readonly unfreeze?: FreezeSelection;
}

/**
 * Trains with a learning rate that rises from step to step, and records the loss at each rate. Weights, freeze state
 * and history of the model are unchanged afterwards. The test has its own optimizer state and random numbers.
 *
 * Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3; fastai's `lr_find`.
 *
 * @param model - From `replaceHead` or `load`. Train its head before you test rates for the base.
 * @param samples - Training examples.
 * @param options - See {@link FindLearningRateOptions}.
 * @returns The curve of losses, and suggested rates.
 * @throws TransferKitError The errors of `fineTune`.
 *
 * @example
 * ```ts
 * const { suggestions } = await findLearningRate(model, samples, { steps: 20 });
 * await trainHead(model, samples, { epochs: 5, learningRate: suggestions.valley });
 * ```
 */
export async function findLearningRate(
  model: AnyModel,
  samples: Samples,
  options: FindLearningRateOptions = {},
): Promise<LearningRateCurve> {
  return nameErrors('findLearningRate', () => {
    assertOptions(options, {
      unfreeze: true,
      from: true,
      to: true,
      steps: true,
      smoothing: true,
      optimizer: true,
      loss: true,
      labelSmoothing: true,
      classWeights: true,
      batchSize: true,
      cache: true,
      seed: true,
      signal: true,
      onProgress: true,
    });
    return whileChanged('findLearningRate', [model], () => findRateNow(model, samples, options));
  });
}

async function findRateNow(
  model: AnyModel,
  samples: Samples,
  options: FindLearningRateOptions,
): Promise<LearningRateCurve> {
  const { sweepRates } = await import('./training/run/sweepRates.ts');
  await ensureBackend();
  const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
  const before = weights.map(({ frozen }) => frozen);
  try {
    if (options.unfreeze !== undefined) unfreezeNow(model, options.unfreeze);
    return await sweepRates(model, samples, options);
  } finally {
    weights.forEach((weight, i) => {
      weight.frozen = before[i] ?? true;
    });
  }
}
