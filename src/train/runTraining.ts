// One training run from samples to log: checks, features of the frozen front, the loop.
import { TransferKitError } from '../core/errors.ts';
import { sizeOf } from '../core/shapes.ts';
import type { TransferModel } from '../core/model.ts';
import type { Samples, TrainingLog, TrunkWeight } from '../core/types.ts';
import { viewsOf, type Examples, type ExampleSource } from './examples.ts';
import { runLoop, type LoopResult } from './loop.ts';
import { frozenPrefix, networkOf, prepareFront, type Network } from './network.ts';
import type { SettledOptions } from './options.ts';
import { startPace, type Pace } from './pace.ts';
import { streamExamples } from './streamExamples.ts';
import { assertKnown, assertSamples, assertTrainable } from './targets.ts';

/** What to train, and how. */
export interface TrainingPlan {
  readonly verb: string;
  readonly phase: 'head' | 'fineTune';
  readonly trainable: readonly TrunkWeight[];
  readonly learningRate: { readonly head: number; readonly base?: number };
  readonly options: SettledOptions;
}

/**
 * Trains some weights of a model and appends the log to its history.
 *
 * @throws TransferKitError `NOTHING_TO_TRAIN`, `DISPOSED`, and what samples, reading and the loop raise.
 */
export async function runTraining(model: TransferModel, samples: Samples, plan: TrainingPlan): Promise<TrainingLog> {
  const { verb, options } = plan;
  const start = performance.now();
  assertSamples(verb, samples);
  const { train, validation } = splitOff(samples, options);
  assertTrainable(verb, model, train);
  if (validation !== undefined) assertKnown(verb, model, validation);
  if (plan.trainable.length === 0) throw nothingToTrain(plan);

  const network = networkOf(model);
  const entry = frozenPrefix(model, plan.trainable);
  const cached = options.cache !== undefined && entry > 0;
  const front = await prepareFront(model, entry);
  const opened: Examples[] = [];
  try {
    const prepared = await prepare({ model, network: front, entry, train, validation }, plan, opened);
    if (cached) front.dispose();
    const loop: LoopResult =
      prepared === undefined
        ? { epochs: [], stoppedBy: 'signal' }
        : await runLoop({ ...options, ...plan, ...prepared, model, network }, startLoopPace(plan, prepared.train));
    const log: TrainingLog = {
      phase: plan.phase,
      epochs: loop.epochs,
      stoppedBy: loop.stoppedBy,
      examples: prepared?.train.readable ?? 0,
      skipped: [...(prepared?.train.skipped ?? []), ...(prepared?.validation?.skipped ?? [])],
      ...(front.unfolded.length === 0 ? {} : { unfolded: front.unfolded }),
      ...cachedUpTo(network, prepared !== undefined && cached ? entry : 0),
      parameters: countParameters(model, plan.trainable),
      seed: options.seed,
      seconds: (performance.now() - start) / 1000,
    };
    model.history = [...model.history, log];
    return log;
  } finally {
    for (const examples of opened) await examples.dispose();
    front.dispose();
  }
}

/**
 * Raises when a model cannot be used any more.
 *
 * @throws TransferKitError `DISPOSED`.
 */
export function assertAlive(verb: string, { base, head }: TransferModel): void {
  if (!base.trunk.disposed && !head.trunk.disposed) return;
  const text = `${verb}: expected a usable model, got '${base.name}' after its dispose(). Load or build it again.`;
  throw new TransferKitError('DISPOSED', text, { name: base.name });
}

function cachedUpTo({ stages }: Network, entry: number): Pick<TrainingLog, 'cachedUpTo'> {
  const stage = stages[entry - 1];
  return stage === undefined ? {} : { cachedUpTo: stage.name };
}

function splitOff(samples: Samples, { validation, seed }: SettledOptions) {
  if (typeof validation !== 'number') return { train: samples, validation };
  return samples.split({ validation, seed });
}

interface Parts {
  readonly model: TransferModel;
  readonly network: Network;
  readonly entry: number;
  readonly train: Samples;
  readonly validation: Samples | undefined;
}

/** The rows to train and validate on, `opened` one by one; undefined when the signal came first. */
async function prepare(parts: Parts, { verb, options }: TrainingPlan, opened: Examples[]) {
  const { entry } = parts;
  const source = (samples: Samples, augment: ExampleSource['augment']): ExampleSource => ({
    ...parts,
    verb,
    samples,
    augment,
    batchSize: options.batchSize,
    signal: options.signal,
  });
  const train = source(parts.train, options.augment);
  const validation = parts.validation && source(parts.validation, undefined);
  if (entry === 0 || options.cache === undefined) {
    return { train: streamExamples(train, entry), validation: validation && streamExamples(validation, entry) };
  }
  const [{ openCache }, { cacheFeatures }] = await Promise.all([
    import('./featureStore.ts'),
    import('./cacheFeatures.ts'),
  ]);
  const cache = await openCache(options.cache);
  const passes = viewsOf(train) * train.samples.size + (validation?.samples.size ?? 0);
  const pace: Pace = startPace('features', passes, options.onProgress);
  const trainRows = await cacheFeatures(train, entry, cache, pace);
  if (trainRows === undefined) return undefined;
  opened.push(trainRows);
  const validationRows = validation && (await cacheFeatures(validation, entry, cache, pace));
  if (validationRows !== undefined) opened.push(validationRows);
  const stopped = validation !== undefined && validationRows === undefined;
  return stopped ? undefined : { train: trainRows, validation: validationRows };
}

function startLoopPace({ phase, options }: TrainingPlan, train: Examples): Pace {
  return startPace(phase, (options.epochs - options.initialEpoch) * train.size, options.onProgress);
}

function countParameters({ base, head }: TransferModel, trainable: readonly TrunkWeight[]) {
  const count = (weights: readonly TrunkWeight[]) => weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
  const trained = count(trainable);
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
