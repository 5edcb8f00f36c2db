// The verb fineTune: head and unfrozen layers of the base are trained together at a low rate.
import { ensureBackend } from './backends/ensureBackend.ts';
import type { TransferModel } from './core/model.ts';
import type { Samples, TrainingLog } from './core/types.ts';
import { unfreeze, type FreezeSelection } from './freeze.ts';
import { isMovable } from './train/network.ts';
import { assertRate, assertWhole, settleOptions, type TrainingOptions } from './train/options.ts';
import { assertAlive, runTraining } from './train/runTraining.ts';
import { trainHead } from './trainHead.ts';

/** Options of {@link fineTune}. */
export interface FineTuneOptions extends TrainingOptions {
  /**
   * What to unfreeze first, as for `unfreeze`. Without it, what is unfrozen already is trained; when nothing of the base
   * is, all of it is unfrozen.
   */
  readonly unfreeze?: FreezeSelection;
  /** Above 0: one for all, or one for the base and one for the head. Default 1e-4 for both. */
  readonly learningRate?: number | { readonly base: number; readonly head: number };
  /**
   * Epochs of `trainHead` (at the optimizer's own rate) for a head that was never trained: random heads wreck good
   * bases. Default 1; 0 turns it off.
   */
  readonly headEpochs?: number;
}

/**
 * Trains the head and every unfrozen layer of the base. What is frozen in front of the first unfrozen layer is computed
 * only once for each example. BatchNorm runs by its stored statistics everywhere.
 *
 * @param model - From `replaceHead` or `load`.
 * @param samples - Training examples; their labels must be the head's.
 * @param options - See {@link FineTuneOptions}. Default 5 epochs.
 * @returns What was done, as plain data; also appended to `model.history` (the log of `headEpochs` before it).
 * @throws TransferKitError as `trainHead`, under its name while the head is trained first; `UNKNOWN_LAYER`; `NOTHING_TO_TRAIN` when base and head are frozen. Before any
 * training the model, freeze state included, is left as it was.
 *
 * @example
 * ```ts
 * await trainHead(model, samples, { epochs: 5 });
 * const log = await fineTune(model, samples, { unfreeze: { lastStages: 1 }, epochs: 2, learningRate: 1e-4 });
 * console.log(log.cachedUpTo);
 * ```
 */
export async function fineTune(
  model: TransferModel,
  samples: Samples,
  options: FineTuneOptions = {},
): Promise<TrainingLog> {
  const settled = settleOptions('fineTune', options, 5);
  const learningRate = settleRates(options.learningRate ?? 1e-4);
  const headEpochs = options.headEpochs ?? 1;
  assertWhole('fineTune', 'headEpochs', headEpochs, 0);
  assertAlive('fineTune', model);
  await ensureBackend();

  const restore = rememberFrozen(model);
  try {
    applySelection(model, options.unfreeze);
    if (!model.head.trained && headEpochs > 0 && isTrainable(model.head.trunk.weights)) {
      const { unfreeze: _, learningRate: __, headEpochs: ___, initialEpoch: ____, ...shared } = options;
      const log = await trainHead(model, samples, { ...shared, epochs: headEpochs });
      if (log.stoppedBy === 'signal') return log;
    }
    return await runTraining(model, samples, {
      verb: 'fineTune',
      phase: 'fineTune',
      trainable: [...model.base.trunk.weights, ...model.head.trunk.weights].filter(isMovable),
      learningRate,
      options: settled,
    });
  } catch (error) {
    restore();
    throw error;
  }
}

/** Unfreezes what is asked for, or the whole base when nothing of it is unfrozen and the head may train. */
function applySelection(model: TransferModel, selection: FreezeSelection | undefined): void {
  if (selection !== undefined) unfreeze(model, selection);
  else if (!isTrainable(model.base.trunk.weights) && isTrainable(model.head.trunk.weights)) unfreeze(model, 'base');
}

function isTrainable(weights: TransferModel['base']['trunk']['weights']): boolean {
  return weights.some(isMovable);
}

function settleRates(rates: number | { readonly base: number; readonly head: number }) {
  const { base, head } = typeof rates === 'number' ? { base: rates, head: rates } : rates;
  assertRate('fineTune', 'learningRate.base', base);
  assertRate('fineTune', 'learningRate.head', head);
  return { base, head };
}

/** Remembers what is frozen; the returned function puts it back. */
function rememberFrozen({ base, head }: TransferModel): () => void {
  const before = [...base.trunk.weights, ...head.trunk.weights].map((weight) => ({ weight, frozen: weight.frozen }));
  return () => {
    for (const { weight, frozen } of before) weight.frozen = frozen;
  };
}
