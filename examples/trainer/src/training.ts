// A training from the base to its figures. It can be stopped, and goes on from its last checkpoint, also after the page
// was closed or the worker was lost.
import { fromArrays, type Samples } from 'transferkit';
import { keepStorage } from 'transferkit/browser';
import type { RemoteModel } from 'transferkit/worker';
import { isScaling, sourceOf, type KnownBase } from './bases.ts';
import { connected, type Kit } from './kit.ts';
import { forgetModel, holdModel, modelAddress } from './trainedModel.ts';
import { keepResult, keepRun } from './project.ts';
import { change, current, descriptionOf, type Point, type Result, type State, type Work } from './state.ts';
import { canStore } from './storage.ts';

const checkpoints = 'indexeddb://transferkit-trainer';
/** One split for all trainings, so that their figures can be compared. */
const seed = 1;
const keptAside = 0.2;
const fewest = 5;
const mostMistakes = 12;
/** Smaller than usual: a stop is heard sooner, and phones have less memory. */
const batchSize = 16;

let stopping: AbortController | undefined;

/** Labels that have pictures, in the order of the page. */
function taughtLabels({ labels, pictures }: State): string[] {
  const taught = new Set(pictures.map(({ label }) => label));
  return labels.filter(({ id }) => taught.has(id)).map(({ name }) => name);
}

/** Whether there is enough to train with: two labels with pictures, each with at least five. */
export function canTrain(state: State): boolean {
  const counts = new Map<number, number>();
  for (const { label } of state.pictures) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts.size >= 2 && [...counts.values()].every((count) => count >= fewest);
}

/** Whether a stopped or interrupted training can go on: it belongs to what is in the page now. */
export function canGoOn(state: State): boolean {
  const { run } = state;
  return run !== undefined && run.state !== 'done' && state.depth === 'end' && run.of === descriptionOf(state);
}

/** The examples in the page, in the same order for the same pictures. */
export function samplesOf({ labels, pictures }: State): Samples<Blob> {
  const names = new Map(labels.map(({ id, name }) => [id, name]));
  const known = pictures.filter(({ label }) => names.has(label));
  return fromArrays({
    inputs: known.map(({ blob }) => blob),
    targets: known.map(({ label }) => names.get(label) ?? ''),
    ids: known.map(({ id }) => String(id)),
    onUnreadable: 'skip',
  });
}

/** Asks the running training to stop after its step. */
export function stop(): void {
  const { work } = current();
  stopping?.abort();
  if (work !== undefined) change({ work: { ...work, stopping: true } });
}

/**
 * Trains, tests the model on pictures that were kept aside, and keeps it for the next visit.
 *
 * @param resume - Whether to go on from the last checkpoint.
 */
export async function train(resume: boolean): Promise<void> {
  stopping = new AbortController();
  try {
    await trainNow(current(), resume, stopping.signal);
  } finally {
    stopping = undefined;
    change({ work: undefined });
  }
}

async function trainNow(state: State, resume: boolean, signal: AbortSignal): Promise<void> {
  const of = descriptionOf(state);
  const earlier = resume ? (state.run?.points ?? []) : [];
  show('starting');
  // Now there is something to lose: some browsers ask the user.
  void keepStorage();
  const kit = await connected();
  forgetModel();
  show('base');
  const base = await kit.loadBase(await sourceOf(state.base), {
    ...preprocessOf(state),
    signal,
    cacheDir: false, // the service worker keeps models
    onProgress: ({ received, total }) => {
      show('base', total === undefined ? 0 : received / total);
    },
  });
  const { train: own, validation } = samplesOf(state).split({ validation: keptAside, seed });
  const model = await kit.replaceHead(base, { labels: taughtLabels(state), dropout: 0, seed });
  keepRun({ of, epochs: state.epochs, points: earlier, state: 'running' });
  const stopped = await learn(kit, model, { state, own, validation, resume, signal });
  const run = current().run;
  if (run !== undefined) keepRun({ ...run, state: stopped ? 'stopped' : 'done' });
  show('evaluate');
  keepResult(await judge(kit, model, validation, of));
  holdModel(model);
  await kit.save(model, modelAddress).catch(() => undefined);
}

interface Lesson {
  readonly state: State;
  readonly own: Samples<Blob>;
  readonly validation: Samples<Blob>;
  readonly resume: boolean;
  readonly signal: AbortSignal;
}

/** @returns Whether it was stopped. */
async function learn(
  kit: Kit,
  model: RemoteModel<'classes'>,
  { state, own, validation, resume, signal }: Lesson,
): Promise<boolean> {
  const watched = {
    validation,
    batchSize,
    seed,
    signal,
    onProgress: ({ phase, done, total, secondsLeft }: Parameters<OnProgress>[0]) => {
      show(phase, total === 0 ? 0 : done / total, secondsLeft);
    },
    onEpoch: (epoch: Parameters<OnEpoch>[0]) => {
      addPoint(pointOf(epoch));
    },
  };
  if (state.depth === 'head') {
    const log = await kit.trainHead(model, own, watched);
    return log.stoppedBy === 'signal';
  }
  const { trainFrom } = knownBaseOf(state) ?? {};
  const keeps = await canStore();
  const log = await kit.fineTune(model, own, {
    ...watched,
    epochs: state.epochs,
    unfreeze: trainFrom === undefined ? { lastStages: 4 } : { from: trainFrom },
    ...(keeps ? { checkpoint: { to: checkpoints, every: { seconds: 2 } }, resume } : {}),
  });
  // A run that had ended already is taken from its checkpoint, without an epoch.
  for (const epoch of log.epochs) addPoint(pointOf({ ...epoch, phase: log.phase }));
  return log.stoppedBy === 'signal';
}

type FineTuneOptions = NonNullable<Parameters<Kit['fineTune']>[2]>;
type OnProgress = NonNullable<FineTuneOptions['onProgress']>;
type OnEpoch = NonNullable<FineTuneOptions['onEpoch']>;

function knownBaseOf({ bases, base }: State): KnownBase | undefined {
  return bases.find(({ path }) => path === base.path);
}

/** How pixels are scaled, where the model does not say it. */
function preprocessOf(state: State): { readonly preprocess?: 'tf' | 'unit' | 'torch' | 'caffe' | 'raw' } {
  const preprocess = state.base.preprocess ?? knownBaseOf(state)?.preprocess;
  return isScaling(preprocess) ? { preprocess } : {};
}

function show(step: Work['step'], share = 0, secondsLeft?: number): void {
  const isStopping = stopping?.signal.aborted === true;
  change({ work: { step, share, secondsLeft, stopping: isStopping && step !== 'evaluate' } });
}

/** The new layer, which is trained first, is the point before the first round. */
function pointOf({ phase, epoch, loss, accuracy, ...figures }: Parameters<OnEpoch>[0]): Point {
  const isFirst = phase === 'head';
  const { validationLoss, validationAccuracy } = figures;
  return { epoch: isFirst ? 0 : epoch + 1, loss, accuracy: accuracy ?? 0, validationLoss, validationAccuracy };
}

/** A training that goes on may tell of a round again. */
function addPoint(point: Point): void {
  const { run } = current();
  if (run === undefined) return;
  const others = run.points.filter(({ epoch }) => epoch !== point.epoch);
  keepRun({ ...run, points: [...others, point].sort((a, b) => a.epoch - b.epoch) });
}

async function judge(kit: Kit, model: RemoteModel<'classes'>, validation: Samples<Blob>, of: string): Promise<Result> {
  const evaluation = await kit.evaluate(model, validation, {
    batchSize,
    worst: mostMistakes,
    onProgress: ({ done, total, secondsLeft }) => {
      show('evaluate', total === 0 ? 0 : done / total, secondsLeft);
    },
  });
  return {
    of,
    accuracy: evaluation.accuracy,
    examples: evaluation.examples,
    labels: evaluation.labels,
    confusion: evaluation.confusion,
    mistakes: evaluation.worst.map(({ id, actual, predicted, predictedProbability }) => ({
      picture: Number(id),
      actual,
      predicted,
      probability: predictedProbability,
    })),
  };
}
