// The training loop: one pass over the rows for each epoch in an order drawn by the seed, validation after it, and the
// weights put back when an epoch fails.
import { isTransferKitError } from '../core/errors.ts';
import { deriveSeed, permutation } from '../core/random.ts';
import type { EpochLog, TrainingLog } from '../core/types.ts';
import type { Run, Stretch } from './loopPlan.ts';
import { measure } from './measure.ts';
import type { Pace } from './pace.ts';
import { batchesOf } from './readAhead.ts';
import { freeRows, readRows } from './readRows.ts';
import { takeSnapshot } from './snapshot.ts';
import { taskRules } from './taskRules.ts';
import { Totals } from './totals.ts';
import type { TrainingState } from './trainingState.ts';

/** Why a run ended before its last epoch. */
export type EarlyEnd = Exclude<TrainingLog['stoppedBy'], 'epochs'>;

/** What the epochs of a run share. */
export interface Course {
  readonly run: Run;
  readonly state: TrainingState;
  readonly pace: Pace;
  /** Epochs that are done; more are added. */
  readonly epochs: EpochLog[];
}

/**
 * Trains for the epochs of a stretch.
 *
 * @returns Why the run is over; undefined when it goes on.
 * @throws TransferKitError `LOSS_NOT_FINITE`, with the weights as they were when the loss was last finite.
 */
export async function runEpochs(course: Course, stretch: Stretch): Promise<EarlyEnd | undefined> {
  const { run, state, epochs } = course;
  state.begin(stretch);
  for (let epoch = stretch.epoch; epoch < stretch.until; epoch++) {
    const done = await orRestore(course, stretch, () => runEpoch(course, stretch, epoch));
    if (done === undefined) return 'signal';
    epochs.push(done.log);
    await state.finishEpoch(done.log);
    run.options.onEpoch?.(done.log);
    if (done.late) return 'time';
    if (state.watch.exhausted) return 'earlyStopping';
  }
  return undefined;
}

/**
 * Runs an epoch. When it fails (an example that cannot be read, a callback that raises), the weights are as they were at
 * its start; after a loss that is not finite they are the last good ones.
 */
async function orRestore<T>({ run }: Course, { trainable }: Stretch, runOnce: () => Promise<T>): Promise<T> {
  const { head } = run.model;
  const before = { trained: head.trained, weights: takeSnapshot(trainable) };
  try {
    return await runOnce();
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

interface Epoch {
  readonly log: EpochLog;
  /** Whether the time was over before the last batch, or is now. */
  readonly late: boolean;
}

/** One epoch with its validation; undefined when the signal stopped it. */
async function runEpoch({ run, state, pace }: Course, stretch: Stretch, epoch: number): Promise<Epoch | undefined> {
  const start = performance.now();
  const totals = await passOverRows({ run, state, pace }, stretch, epoch);
  if (totals === undefined) return undefined;
  await state.assertFinite(epoch);
  const validation = await validate(run, state, stretch);
  const log: EpochLog = {
    epoch,
    ...totals.figures(),
    ...(validation === undefined ? {} : { validationLoss: validation.loss }),
    ...(validation?.accuracy === undefined ? {} : { validationAccuracy: validation.accuracy }),
    learningRate: state.learningRate,
    seconds: (performance.now() - start) / 1000,
  };
  return { log, late: isLate(run) };
}

function validate(run: Run, state: TrainingState, { validation }: Stretch) {
  if (validation === undefined) return undefined;
  return state.withAverages(() => measure(run, validation, run.options.batchSize));
}

/** One pass over all rows in an order drawn by the seed, as far as time goes; undefined when the signal stopped it. */
async function passOverRows(
  { run, state, pace }: Omit<Course, 'epochs'>,
  { train }: Stretch,
  epoch: number,
): Promise<Totals | undefined> {
  const { batchSize, seed, signal } = run.options;
  const order = permutation(train.size, deriveSeed(seed, epoch));
  const totals = new Totals(taskRules[run.model.head.task]);
  let done = 0;
  for await (const rows of readRows(train, batchesOf(order, batchSize), epoch)) {
    if (signal?.aborted === true) {
      freeRows(rows);
      state.drop();
      return undefined;
    }
    try {
      if (rows !== undefined) {
        await state.step(rows, { epoch, entry: train.entry, seed: deriveSeed(seed, epoch, done) }, totals);
      }
    } finally {
      freeRows(rows);
    }
    const amount = Math.min(batchSize, train.size - done);
    done += amount;
    await pace.advance(amount);
    if (isLate(run)) break;
  }
  await state.flush(totals);
  return totals;
}

function isLate({ startedAt, options }: Run): boolean {
  return performance.now() - startedAt >= options.maxSeconds * 1000;
}
