// The verb trainHead: the frozen base is run once for each example, then the head alone is trained on its features.
import { ensureBackend } from './backends/ensureBackend.ts';
import type { TransferModel } from './core/model.ts';
import type { Samples, TrainingLog } from './core/types.ts';
import { isMovable } from './train/network.ts';
import { assertRate, settleOptions, type TrainingOptions } from './train/options.ts';
import { assertAlive, runTraining } from './train/runTraining.ts';

/** Options of {@link trainHead}. */
export interface TrainHeadOptions extends TrainingOptions {
  /** Rate that the schedule starts from, above 0. Default: the optimizer's own, 1e-3 for Adam and 1e-2 for SGD. */
  readonly learningRate?: number;
}

/**
 * Trains the head on features of the base. The base does not move, whatever is unfrozen in it.
 *
 * @param model - From `replaceHead` or `load`.
 * @param samples - Training examples; their labels must be the head's.
 * @param options - See {@link TrainHeadOptions}. Default 10 epochs.
 * @returns What was done, as plain data; also appended to `model.history`.
 * @throws TransferKitError `NO_EXAMPLES`, `TOO_FEW_EXAMPLES`, `CLASS_WITHOUT_EXAMPLES`, `UNKNOWN_LABEL`, `UNREADABLE`,
 * `WRONG_SHAPE`, `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_OPTION`, `NOTHING_TO_TRAIN` (a frozen head), `LOSS_NOT_FINITE`,
 * `UNSUPPORTED_LAYER` (one without a gradient), `SAVE_FAILED` (no room for features), `WRONG_DTYPE`, `DISPOSED`.
 *
 * @example
 * ```ts
 * const log = await trainHead(model, samples, { epochs: 5, validation: 0.25 });
 * console.log(log.epochs.at(-1)?.validationAccuracy);
 * ```
 */
export async function trainHead(
  model: TransferModel,
  samples: Samples,
  options: TrainHeadOptions = {},
): Promise<TrainingLog> {
  const settled = settleOptions('trainHead', options, 10);
  const learningRate = options.learningRate ?? settled.optimizer.defaultLearningRate;
  assertRate('trainHead', 'learningRate', learningRate);
  assertAlive('trainHead', model);
  await ensureBackend();
  return runTraining(model, samples, {
    verb: 'trainHead',
    phase: 'head',
    trainable: model.head.trunk.weights.filter(isMovable),
    learningRate: { head: learningRate },
    options: settled,
  });
}
