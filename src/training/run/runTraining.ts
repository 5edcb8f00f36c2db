// One training run from samples to log: validation, features of the frozen prefix for each segment, the loop.
import { getBackend } from '@tensorflow/tfjs-core';
import type { EpochLog, TrainingLog } from '../../core/logs.ts';
import { countParameters } from './countParameters.ts';
import type { Examples } from '../../features/examples.ts';
import { runEpochs, type Course } from './loop.ts';
import type { EarlyEnd, RowsReport, Run, Segment, Start } from '../state/plan.ts';
import { frozenPrefix } from '../../model/network.ts';
import { heldOutOf } from './holdOut.ts';
import { rowsOfSegments } from './openRows.ts';
import { startPace, type Pace } from '../../core/pace.ts';
import type { Checkpoints } from '../resume/checkpoints.ts';
import type { Recorder } from '../resume/recorder.ts';
import { watchRun } from './runWarnings.ts';
import { isLate, stopperOf } from './timeLimit.ts';
import { blendRun } from './blendRun.ts';
import { writeFinalWeights } from './bestWeights.ts';
import { unfrozenIn } from '../resume/savedState.ts';
import { takeSnapshot } from '../state/snapshot.ts';
import { Trainer } from './trainer.ts';

/**
 * Trains some weights of a model and appends the log to its history.
 *
 * @param checkpoints - Undefined: none are kept.
 * @throws TransferKitError `DISPOSED`, `CHECKPOINT_MISMATCH`, and the errors of reading and the loop.
 */
export async function runTraining(run: Run, checkpoints: Checkpoints | undefined): Promise<TrainingLog> {
  const { model } = run;
  const watched = watchRun(run);
  const recorder = await recorderOf(run, checkpoints);
  const startedAt = recorder?.startedAt ?? run.startedAt;
  const outcome = await runSegments({ ...watched.run, startedAt }, recorder);
  const warnings = [...(recorder?.warnings ?? []), ...noneBetter(run, outcome), ...watched.warnings(outcome)];
  const log: TrainingLog = {
    phase: run.phase,
    method: 'gradient',
    ...(run.reason === undefined ? {} : { reason: run.reason }),
    epochs: outcome.epochs,
    stoppedBy: outcome.end ?? 'epochs',
    ...(outcome.before === undefined ? {} : { before: outcome.before }),
    ...(outcome.best === undefined ? {} : { best: outcome.best }),
    ...(outcome.blend === undefined ? {} : { blend: outcome.blend }),
    ...outcome.report,
    ...heldOutOf(run.samples),
    ...run.chosen,
    parameters: countParameters(model, outcome.begun),
    ...(warnings.length === 0 ? {} : { warnings }),
    backend: getBackend(),
    seed: run.options.seed,
    seconds: (performance.now() - startedAt) / 1000,
  };
  model.history = [...(recorder?.history ?? model.history), log];
  return log;
}

async function recorderOf(run: Run, checkpoints: Checkpoints | undefined): Promise<Recorder | undefined> {
  if (checkpoints === undefined) return undefined;
  const { openRecorder } = await import('../resume/recorder.ts');
  return openRecorder(run, checkpoints);
}

interface Outcome {
  readonly epochs: readonly EpochLog[];
  readonly end: EarlyEnd | undefined;
  readonly before: TrainingLog['before'];
  readonly best: TrainingLog['best'];
  readonly blend: TrainingLog['blend'];
  readonly report: RowsReport;
  /** Segments that the run has begun. */
  readonly begun: readonly Segment[];
}

/** Trains segment by segment, from the beginning or from where an earlier process stopped. */
async function runSegments(run: Run, recorder: Recorder | undefined): Promise<Outcome> {
  const start = recorder?.start ?? beginningOf(run);
  const trainer = new Trainer(run);
  const { state } = trainer;
  if (run.blend !== undefined) state.start = takeSnapshot(unfrozenIn(run));
  const epochs = [...start.epochs];
  const begun: Segment[] = [];
  const rows = rowsOfSegments(run, start);
  const restored = recorder?.begin({ state, epochs, rows });
  try {
    let { end } = start;
    let pace: Pace | undefined;
    for (const { segment, until, isOver } of segmentsFrom(run, start)) {
      begun.push(segment);
      for (const weight of segment.unfrozen) weight.frozen = false;
      if (isOver) continue;
      if (isLate(run)) {
        end = 'time';
        break;
      }
      const { trainable, statistics } = segment;
      const { train, validation } = await rows.enterAt(frozenPrefix(run.model, [...trainable, ...statistics]));
      if (train === undefined) {
        await recorder?.stoppedBefore(Math.max(segment.epoch, start.epoch));
        end = stopperOf(run);
        break;
      }
      restored?.keep();
      pace ??= await startLoopPace(run, start, train);
      const course: Course = { run, trainer, pace, start, recorder, epochs };
      end = await runEpochs(course, { epoch: segment.epoch, until, trainable, statistics, train, validation });
      if (end !== undefined) break;
    }
    const best = writeFinalWeights(run, state);
    const blend = end === 'signal' ? undefined : await blendRun(run, state);
    return { epochs, end, before: state.before, best, blend, report: rows.known.report, begun };
  } catch (error) {
    restored?.undo();
    throw error;
  } finally {
    restored?.keep();
    trainer.dispose();
    await rows.dispose();
  }
}

/** The warning if no epoch was better than the initial weights. */
function noneBetter({ options }: Run, { epochs, best }: Outcome): string[] {
  if (best === undefined || best.epoch >= options.initialEpoch || epochs.length === 0) return [];
  const text =
    `Expected an epoch with a better ${best.monitor} than that of the weights before it (${best.value.toPrecision(3)}), got ` +
    'none: the model has those weights again. Try a tenth of the learning rate, or stop here.';
  return [text];
}

function beginningOf({ options }: Run): Start {
  const skipped = { train: [], validation: [] };
  return {
    epoch: options.initialEpoch,
    part: undefined,
    epochs: [],
    end: undefined,
    skipped,
    report: { examples: 0, skipped: [] },
  };
}

/** The segments of the run with their ends, and whether an earlier process has finished them. */
function segmentsFrom({ segments, options }: Run, { epoch, end }: Start) {
  return segments
    .map((segment, place) => ({ segment, until: segments[place + 1]?.epoch ?? options.epochs }))
    .filter(({ segment }) => end === undefined || segment.epoch < epoch)
    .map((each) => ({ ...each, isOver: end !== undefined || each.until <= epoch }));
}

function startLoopPace({ phase, options }: Run, { epoch, part }: Start, { size }: Examples): Promise<Pace> {
  const { epochs, initialEpoch, augment, onProgress } = options;
  const before = (epoch - initialEpoch) * size + (part?.done ?? 0);
  return startPace(phase, (epochs - initialEpoch) * size, onProgress, { before, augmenting: augment?.stopwatch });
}
