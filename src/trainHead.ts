// The verb trainHead: runs the frozen base once for each example, then trains the head alone on its features.
import { nameErrors } from './core/edge.ts';
import type { AnyModel } from './model/model.ts';
import type { TrainingLog } from './core/logs.ts';
import type { Samples } from './core/types.ts';
import { assertOptions } from './core/optionNames.ts';
import { whileChanged } from './model/uses.ts';
import { trainHeadNames, type TrainHeadOptions } from './training/options/trainHeadOptions.ts';

/**
 * Trains the head on features of the base. The base does not change, even if layers of it are unfrozen.
 *
 * The weights of a head without hidden layers are computed by a solver (see `solver`). Any other head is trained by
 * gradients, and so is every head if an option needs them.
 *
 * @param model - From `replaceHead` or `load`.
 * @param samples - Training examples; their labels must be the head's.
 * @param options - See {@link TrainHeadOptions}. Training by gradients runs 10 epochs by default, with a cosine
 * schedule that falls to 0.
 * @returns The training log, as plain data; also appended to `model.history`.
 * @throws TransferKitError `NO_EXAMPLES`, `TOO_FEW_EXAMPLES`, `CLASS_WITHOUT_EXAMPLES`, `UNKNOWN_LABEL`, `UNREADABLE`,
 * `WRONG_SHAPE`, `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_OPTION`, `NOTHING_TO_TRAIN` (a frozen head), `LOSS_NOT_FINITE`,
 * `UNSUPPORTED_LAYER` (a layer without a gradient), `SAVE_FAILED` (no space to store features), `WRONG_DTYPE`,
 * `DISPOSED`, `CHECKPOINT_MISMATCH` and `WEIGHTS_DAMAGED` (a checkpoint that `resume` cannot use), `BUSY` while another
 * verb changes the model, `BACKEND_LOST` where a page loses its graphics card.
 *
 * @example
 * ```ts
 * const log = await trainHead(model, samples, { validation: 0.25 });
 * console.log(log.epochs.at(-1)?.validationAccuracy, log.solver?.l2);
 * ```
 */
export async function trainHead(
  model: AnyModel,
  samples: Samples,
  options: TrainHeadOptions = {},
): Promise<TrainingLog> {
  return nameErrors('trainHead', () => {
    assertOptions(options, trainHeadNames);
    return whileChanged('trainHead', [model], async () => {
      const { trainHeadNow } = await import('./training/run/trainHeadNow.ts');
      return trainHeadNow(model, samples, options);
    });
  });
}
