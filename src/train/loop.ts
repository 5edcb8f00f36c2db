// The training loop: one pass over the rows for each epoch in an order drawn by the seed, validation after it, and the
// weights put back when an epoch fails.
import { isTransferKitError } from '../core/errors.ts';
import { deriveSeed, permutation } from '../core/random.ts';
import type { EpochLog } from '../core/types.ts';
import type { LoopPlan } from './loopPlan.ts';
import { taskRules } from './losses.ts';
import { measure } from './measure.ts';
import type { Pace } from './pace.ts';
import { batchesOf } from './readAhead.ts';
import { freeRows, readRows } from './readRows.ts';
import { takeSnapshot } from './snapshot.ts';
import { Totals } from './totals.ts';
import { TrainingState } from './trainingState.ts';

/** What a run did. */
export interface LoopResult {
  readonly epochs: readonly EpochLog[];
  readonly stoppedBy: 'epochs' | 'signal';
}

/**
 * Trains.
 *
 * @throws TransferKitError `LOSS_NOT_FINITE`, with the weights as they were when the loss was last finite.
 */
export async function runLoop(plan: LoopPlan, pace: Pace): Promise<LoopResult> {
  const state = new TrainingState(plan);
  const epochs: EpochLog[] = [];
  try {
    for (let epoch = plan.initialEpoch; epoch < plan.epochs; epoch++) {
      const log = await orRestore(plan, () => runEpoch(plan, state, epoch, pace));
      if (log === undefined) return { epochs, stoppedBy: 'signal' };
      epochs.push(log);
      plan.onEpoch?.(log);
    }
    return { epochs, stoppedBy: 'epochs' };
  } finally {
    state.dispose();
  }
}

/**
 * Runs an epoch. When it fails (an example that cannot be read, a callback that raises), the weights are as they were at
 * its start; after a loss that is not finite they are the last good ones.
 */
async function orRestore(plan: LoopPlan, run: () => Promise<EpochLog | undefined>): Promise<EpochLog | undefined> {
  const { head } = plan.model;
  const before = { trained: head.trained, weights: takeSnapshot(plan.trainable) };
  try {
    return await run();
  } catch (error) {
    if (!isTransferKitError(error) || error.code !== 'LOSS_NOT_FINITE') {
      before.weights.restore();
      head.trained = before.trained;
    }
    throw error;
  } finally {
    before.weights.dispose();
  }
}

/** One epoch with its validation; undefined when the signal stopped it. */
async function runEpoch(
  plan: LoopPlan,
  state: TrainingState,
  epoch: number,
  pace: Pace,
): Promise<EpochLog | undefined> {
  const start = performance.now();
  const figures = await passOverRows(plan, state, epoch, pace);
  if (figures === undefined) return undefined;
  await state.assertFinite(epoch);
  const { model, network, batchSize } = plan;
  const validation = plan.validation && (await measure(model, network, plan.validation, batchSize));
  return {
    epoch,
    ...figures,
    ...(validation === undefined ? {} : { validationLoss: validation.loss }),
    ...(validation?.accuracy === undefined ? {} : { validationAccuracy: validation.accuracy }),
    learningRate: state.rates,
    seconds: (performance.now() - start) / 1000,
  };
}

/** One pass over all rows in an order drawn by the seed; undefined when the signal stopped it. */
async function passOverRows(plan: LoopPlan, state: TrainingState, epoch: number, pace: Pace) {
  const { train, batchSize, seed, signal } = plan;
  const order = permutation(train.size, deriveSeed(seed, epoch));
  const totals = new Totals(taskRules[plan.model.head.task]);
  let done = 0;
  for await (const rows of readRows(train, batchesOf(order, batchSize), epoch)) {
    if (signal?.aborted === true) {
      freeRows(rows);
      return undefined;
    }
    try {
      if (rows !== undefined) await state.step(rows, deriveSeed(seed, epoch, done), epoch, totals);
    } finally {
      freeRows(rows);
    }
    const amount = Math.min(batchSize, train.size - done);
    done += amount;
    await pace.advance(amount);
  }
  return totals.figures();
}
