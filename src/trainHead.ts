// The verb trainHead: runs the frozen base once for each example, then trains the head alone on its features.
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import type { AnyModel } from './model/model.ts';
import type { TrainingLog } from './core/logs.ts';
import type { Samples } from './core/types.ts';
import { assertOptions } from './core/optionNames.ts';
import { whileChanged } from './model/uses.ts';
import type { TrainingOptions } from './training/options/options.ts';
import { trainHeadNames, type SolverOptions } from './training/options/trainHeadOptions.ts';

/** Options of {@link trainHead}. */
export interface TrainHeadOptions extends TrainingOptions, SolverOptions {
  /**
   * Learning rate before the schedule, above 0. Default: the optimizer's own, 1e-3 for Adam and 1e-2 for SGD. Another
   * value selects training by gradients.
   */
  readonly learningRate?: number;
}

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
 * verb changes the model.
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
  assertOptions('trainHead', options, trainHeadNames);
  return whileChanged('trainHead', [model], () => trainHeadNow(model, samples, options));
}

/** Does the work of {@link trainHead} for a verb that already holds the model. */
export async function trainHeadNow(model: AnyModel, samples: Samples, options: TrainHeadOptions): Promise<TrainingLog> {
  const startedAt = performance.now();
  const [{ linearHeadOf }, training] = await Promise.all([
    import('./heads/findLinearHead.ts'),
    import('./training/run/training.ts'),
  ]);
  const { findCheckpoints, settleOptions, settleRates, settleSolver, runSolver, runTraining, segmentNow } = training;
  const settled = settleOptions('trainHead', options, { epochs: 10, schedule: 'cosine' }, model);
  const rates = settleRates('trainHead', options.learningRate ?? settled.optimizer.defaultLearningRate);
  const { parts } = model.head;
  const request = { verb: 'trainHead', head: linearHeadOf(model), parts, samples, options, settled };
  const { solver, reason } = settleSolver(request);
  await ensureBackend();
  const segment = segmentNow(settled.initialEpoch, model.head.trunk.weights);
  const plan = {
    verb: 'trainHead',
    phase: 'head',
    segments: [segment],
    rates,
    options: settled,
    startedAt,
    reason,
    checkpoints: await findCheckpoints('trainHead', 'head', settled),
  } as const;
  return solver === undefined ? runTraining(model, samples, plan) : runSolver(model, samples, plan, solver);
}
