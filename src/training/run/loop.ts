// The training loop: each epoch is one pass over the rows in a seeded order, then validation. If an epoch fails, the
// weights are restored.
import { assertAlive } from '../../model/assertAlive.ts';
import { isTransferKitError } from '../../core/errors.ts';
import { deriveSeed, permutation } from '../../core/random.ts';
import type { EpochLog } from '../../core/logs.ts';
import type { EarlyEnd, EpochPart, Run, Start, Stretch } from '../state/plan.ts';
import { epochFigures, validationFigures } from './epochFigures.ts';
import { measure, type Measurement } from '../../measure/measure.ts';
import type { Pace } from '../../core/pace.ts';
import { batchesOf } from '../../data/reading/readAhead.ts';
import type { Examples } from '../../features/examples.ts';
import { freeRows, readRows } from '../../features/readRows.ts';
import type { Recorder } from '../resume/recorder.ts';
import { takeSnapshot } from '../state/snapshot.ts';
import { Totals } from '../../measure/totals.ts';
import { needsStartFigures, observeEpoch, observeStart, withAverages } from './bestWeights.ts';
import { isLate } from './timeLimit.ts';
import { chooseBlend, finalValidations } from './blendRun.ts';
import type { Trainer } from './trainer.ts';

/** The data that all epochs of a run share. */
export interface Course {
  readonly run: Run;
  readonly trainer: Trainer;
  readonly pace: Pace;
  readonly start: Start;
  /** Undefined: no checkpoints. */
  readonly recorder: Recorder | undefined;
  /** Finished epochs; the loop appends to them. */
  readonly epochs: EpochLog[];
}

/**
 * Trains for the epochs of a stretch.
 *
 * @returns Why the run ended; undefined if it continues.
 * @throws TransferKitError `LOSS_NOT_FINITE`, with the weights of the last finite loss.
 */
export async function runEpochs(course: Course, stretch: Stretch): Promise<EarlyEnd | undefined> {
  const { run, trainer, epochs, start, recorder } = course;
  const { state } = trainer;
  trainer.begin(stretch);
  state.blend = undefined;
  const { validation } = stretch;
  if (validation !== undefined && needsStartFigures(run, state)) {
    observeStart(run, state, validationFigures(await validate(course, validation)));
  }
  if (isLate(run, state.validationSeconds)) return 'time';
  for (let epoch = Math.max(stretch.epoch, start.epoch); epoch < stretch.until; epoch++) {
    const done = await orRestore(course, stretch, () => runEpoch(course, stretch, epoch));
    if (done === undefined) return 'signal';
    epochs.push(done.log);
    await observeEpoch(run, state, done.log);
    await run.options.onEpoch?.({ ...done.log, phase: run.phase });
    const end = done.late ? 'time' : state.watch.exhausted ? 'earlyStopping' : undefined;
    if (end !== undefined || epoch + 1 === run.options.epochs) await chooseBlend(run, state, validation);
    await recorder?.afterEpoch(epoch, end);
    if (end !== undefined) return end;
  }
  return undefined;
}

/**
 * Runs an epoch. If it fails (an unreadable example, a callback that raises), the weights from its start are restored;
 * after a loss that is not finite, those of the last finite loss.
 */
async function orRestore<T>(
  { run }: Course,
  { trainable, statistics }: Stretch,
  runOnce: () => Promise<T>,
): Promise<T> {
  const { head } = run.model;
  const before = { trained: head.trained, weights: takeSnapshot([...trainable, ...statistics]) };
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
  /** Whether the time limit is exceeded, before the last batch or now. */
  readonly late: boolean;
}

/** One epoch with its validation; undefined if the signal stopped it. */
async function runEpoch(course: Course, stretch: Stretch, epoch: number): Promise<Epoch | undefined> {
  const { run, trainer, start } = course;
  const part = start.part?.epoch === epoch ? start.part : undefined;
  const { validation: held } = stretch;
  const startedAt = performance.now() - (part?.seconds ?? 0) * 1000;
  const totals = await passOverRows(course, stretch, { epoch, part, startedAt });
  if (totals === undefined) return undefined;
  await trainer.assertFinite(epoch);
  const validation = held && (await withAverages(trainer.state, () => validate(course, held)));
  const log: EpochLog = {
    epoch,
    ...epochFigures(run.model.head.parts, totals.figures(), validation),
    learningRate: trainer.state.learningRate,
    seconds: secondsSince(startedAt),
  };
  return { log, late: isLate(run, trainer.state.validationSeconds) };
}

/** Measures, and remembers how long the last validations will take: the time limit includes them. */
async function validate({ run, trainer }: Course, validation: Examples): Promise<Measurement> {
  const startedAt = performance.now();
  const measured = await measure(run, validation, run.options.batchSize);
  trainer.state.validationSeconds = secondsSince(startedAt) * finalValidations(run);
  return measured;
}

interface Pass {
  readonly epoch: number;
  /** The finished part of the epoch. */
  readonly part: EpochPart | undefined;
  readonly startedAt: number;
}

/** One pass over all rows in a seeded order, up to the time limit; undefined if the signal stopped it. */
async function passOverRows(
  { run, trainer, pace, recorder }: Course,
  { train }: Stretch,
  { epoch, part, startedAt }: Pass,
): Promise<Totals | undefined> {
  const { batchSize, seed, signal } = run.options;
  const order = permutation(train.size, deriveSeed(seed, epoch));
  const totals = new Totals(run.model.head.parts, part?.sums);
  let done = part?.done ?? 0;
  const now = (): EpochPart => ({ epoch, done, sums: totals.sums, seconds: secondsSince(startedAt) });
  for await (const rows of readRows(train, batchesOf(order.slice(done), batchSize), epoch)) {
    if (signal?.aborted === true) {
      freeRows(rows);
      await recorder?.stopped(now());
      // No batch is trained on these rows.
      trainer.state.gradients.dispose();
      return undefined;
    }
    try {
      assertAlive(run.model);
      if (rows !== undefined) {
        await trainer.step(rows, { epoch, entry: train.entry, seed: deriveSeed(seed, epoch, done) }, totals);
      }
    } finally {
      freeRows(rows);
    }
    const amount = Math.min(batchSize, train.size - done);
    done += amount;
    await recorder?.between(now());
    await pace.advance(amount);
    if (isLate(run, trainer.state.validationSeconds)) break;
  }
  await trainer.flush(totals);
  return totals;
}

function secondsSince(time: number): number {
  return (performance.now() - time) / 1000;
}
