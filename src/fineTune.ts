// The verb fineTune: trains the head together with unfrozen layers of the base.
import { nameErrors } from './core/edge.ts';
import type { AnyModel } from './model/model.ts';
import type { Samples } from './core/types.ts';
import { whileChanged } from './model/uses.ts';
import { assertFineTuneNames, type FineTuneOptions } from './training/options/fineTuneOptions.ts';
import type { FineTuneLog } from './training/options/plainSettings.ts';

/**
 * Trains the head and every unfrozen layer of the base. The frozen layers before the first unfrozen one run only once
 * for each example; their outputs are kept. BatchNorm uses its stored statistics; with `batchNorm: 'train'`, unfrozen
 * BatchNorm layers use and update those of the batch.
 *
 * @param model - From `replaceHead` or `load`.
 * @param samples - Training examples; their labels must be the head's.
 * @param options - See {@link FineTuneOptions}. By default `effort: 'standard'` chooses them, and a tenth of the samples
 * is held out for validation where they allow it.
 * @returns The training log, as plain data, with the settings that were chosen and the reasons; also appended to
 * `model.history`, after the log of the head's training if there was one.
 * @throws TransferKitError The errors of `trainHead`; `UNKNOWN_LAYER`; `NOTHING_TO_TRAIN` if base and head are frozen;
 * `BASE_SHARED` if unfrozen layers are in a base that several models share. After an error before the first epoch the
 * model is unchanged, freeze state included.
 *
 * @example
 * ```ts
 * await trainHead(model, samples, { epochs: 5 });
 * const log = await fineTune(model, samples, { unfreeze: { lastStages: 1 }, epochs: 2, learningRate: 1e-4 });
 * console.log(log.cachedUpTo);
 * ```
 */
export async function fineTune(model: AnyModel, samples: Samples, options: FineTuneOptions = {}): Promise<FineTuneLog> {
  return nameErrors('fineTune', () => {
    assertFineTuneNames(options);
    return whileChanged('fineTune', [model], async () => {
      const { fineTuneNow } = await import('./training/run/fineTuneNow.ts');
      return fineTuneNow(model, samples, options);
    });
  });
}
