// One training run from samples to log: checks, features of the frozen front for each segment, the loop.
import { TransferKitError } from '../core/errors.ts';
import { sizeOf } from '../core/shapes.ts';
import type { TransferModel } from '../core/model.ts';
import type { EpochLog, Samples, TrainingLog, TrunkWeight } from '../core/types.ts';
import { settleClassWeights } from './classWeights.ts';
import { openRows, type Parts, type PreparedRows } from './openRows.ts';
import { runEpochs, type Course, type EarlyEnd } from './loop.ts';
import type { Run, Segment, TrainingPlan } from './loopPlan.ts';
import { settleLoss } from './losses.ts';
import { frozenPrefix, networkOf } from './network.ts';
import type { SettledOptions } from './options.ts';
import { startPace, type Pace } from './pace.ts';
import { scheduleFactor, stepsOf } from './scheduleFactor.ts';
import { assertKnown, assertSamples, assertTrainable, assertValidation } from './targets.ts';
import { TrainingState } from './trainingState.ts';

/**
 * Trains some weights of a model and appends the log to its history.
 *
 * @throws TransferKitError `NOTHING_TO_TRAIN`, `DISPOSED`, and what samples, reading and the loop raise.
 */
export async function runTraining(model: TransferModel, samples: Samples, plan: TrainingPlan): Promise<TrainingLog> {
  const { options } = plan;
  const parts = settleParts(model, samples, plan);
  const run = settleRun(model, parts.train, plan);
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

/** Samples to train and validate on, checked. */
function settleParts(model: TransferModel, samples: Samples, { verb, options }: TrainingPlan): Parts {
  assertSamples(verb, samples);
  const { train, validation } = splitOff(samples, options);
  assertTrainable(verb, model, train);
  if (validation !== undefined) {
    assertKnown(verb, model, validation);
    assertValidation(verb, model, validation);
  }
  return { train, validation };
}

function splitOff(samples: Samples, { validation, seed }: SettledOptions): Parts {
  if (typeof validation !== 'number') return { train: samples, validation };
  return samples.split({ validation, seed });
}

function settleRun(model: TransferModel, train: Samples, plan: TrainingPlan): Run {
  const { verb, options, segments } = plan;
  const { classWeights } = options;
  if (segments.some(({ trainable }) => trainable.length === 0)) throw nothingToTrain(plan);
  const run: Run = {
    ...plan,
    model,
    network: networkOf(model),
    loss: settleLoss(verb, model.head.task, options.loss),
    classWeight: classWeights && settleClassWeights(verb, model, train, classWeights),
  };
  scheduleFactor(run, options.schedule.init, 0, stepsOf(options, train.size));
  return run;
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

function nothingToTrain({ verb, phase }: TrainingPlan): TransferKitError {
  const [found, advice] =
    phase === 'head'
      ? ['a head that is frozen', "unfreeze(model, 'head')"]
      : ['a model in which everything is frozen', "unfreeze(model, 'head') or unfreeze(model)"];
  const text = `${verb}: expected weights to train, got ${found}. Call ${advice}.`;
  return new TransferKitError('NOTHING_TO_TRAIN', text);
}
