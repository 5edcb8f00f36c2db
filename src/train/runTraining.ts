// One training run from samples to log: checks, features of the frozen front for each segment, the loop.
import { sizeOf } from '../core/shapes.ts';
import type { TransferModel } from '../core/model.ts';
import type { EpochLog, Samples, TrainingLog, TrunkWeight } from '../core/types.ts';
import { openRows, type Parts, type PreparedRows } from './openRows.ts';
import { runEpochs, type Course, type EarlyEnd } from './loop.ts';
import type { Run, Segment, TrainingPlan } from './loopPlan.ts';
import { frozenPrefix } from './network.ts';
import { startPace, type Pace } from './pace.ts';
import { settleRun } from './settleRun.ts';
import { TrainingState } from './trainingState.ts';

/**
 * Trains some weights of a model and appends the log to its history.
 *
 * @throws TransferKitError `NOTHING_TO_TRAIN`, `DISPOSED`, and what samples, reading and the loop raise.
 */
export async function runTraining(model: TransferModel, samples: Samples, plan: TrainingPlan): Promise<TrainingLog> {
  const { options } = plan;
  const { run, parts } = settleRun(model, samples, plan);
  const outcome = await runSegments(run, parts);
  const log: TrainingLog = {
    phase: plan.phase,
    epochs: outcome.epochs,
    stoppedBy: outcome.end ?? 'epochs',
    ...(outcome.best === undefined ? {} : { best: outcome.best }),
    ...outcome.report,
    parameters: countParameters(model, plan.segments),
    seed: options.seed,
    seconds: (performance.now() - plan.startedAt) / 1000,
  };
  model.history = [...model.history, log];
  return log;
}

interface Outcome {
  readonly epochs: readonly EpochLog[];
  readonly end: EarlyEnd | undefined;
  readonly best: TrainingLog['best'];
  readonly report: PreparedRows['report'];
}

/** Trains segment by segment. Rows are kept while the frozen front stays the same. */
async function runSegments(run: Run, parts: Parts): Promise<Outcome> {
  const { options, phase } = run;
  const state = new TrainingState(run);
  let pace: Pace | undefined;
  let rows: PreparedRows | undefined;
  let end: EarlyEnd | undefined;
  const epochs: EpochLog[] = [];
  try {
    for (const [place, segment] of run.segments.entries()) {
      for (const weight of segment.unfrozen) weight.frozen = false;
      const entry = frozenPrefix(run.model, segment.trainable);
      if (rows?.entry !== entry) {
        await rows?.dispose();
        rows = undefined;
        rows = await openRows(run, parts, entry);
      }
      const { train, validation } = rows;
      if (train === undefined) {
        end = 'signal';
        break;
      }
      pace ??= startPace(phase, (options.epochs - options.initialEpoch) * train.size, options.onProgress);
      const course: Course = { run, state, pace, epochs };
      const until = run.segments[place + 1]?.epoch ?? options.epochs;
      end = await runEpochs(course, { epoch: segment.epoch, until, trainable: segment.trainable, train, validation });
      if (end !== undefined) break;
    }
    const best = state.finish();
    return { epochs, end, best, report: rows?.report ?? { examples: 0, skipped: [] } };
  } finally {
    state.dispose();
    await rows?.dispose();
  }
}

/** Counts what moved at any time. */
function countParameters({ base, head }: TransferModel, segments: readonly Segment[]) {
  const count = (weights: readonly TrunkWeight[]) => weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
  const trained = count([...new Set(segments.flatMap(({ trainable }) => trainable))]);
  return { trained, frozen: count([...base.trunk.weights, ...head.trunk.weights]) - trained };
}
