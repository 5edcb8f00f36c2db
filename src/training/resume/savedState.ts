// Converts the state of a run between steps to values outside the backend, and back.
import { dispose, keep, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import type { BlendLog } from '../../core/logs.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { StoredTensor } from './checkpointFile.ts';
import type { Run } from '../state/plan.ts';
import { snapshotOf, type Snapshot } from '../state/snapshot.ts';
import type { Clock, TrainingState } from '../state/trainingState.ts';
import type { StartFigures, WatchState } from '../state/watch.ts';

/** The state without its tensors. */
export interface SavedNumbers {
  readonly clock: Clock;
  readonly learningRate: TrainingState['learningRate'];
  readonly watch: WatchState;
  readonly before: StartFigures | undefined;
  readonly blend: BlendLog | undefined;
  /** Counts of the accumulated gradients. */
  readonly waiting: { readonly batches: number; readonly examples: number };
  readonly headTrained: boolean;
  /** Number of steps of each weight, by weight name. */
  readonly steps: Readonly<Record<string, number>>;
}

/** The whole state. */
export interface SavedState {
  readonly numbers: SavedNumbers;
  /** `weights/…`, `optimizer/…/0`, `averages/…`, `best/…`, `start/…` by weight name; `gradients/0`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Weights that are not frozen in some segment of a run, statistics included. */
export function unfrozenIn({ segments }: Pick<Run, 'segments'>): readonly TrunkWeight[] {
  return [...new Set(segments.flatMap(({ unfrozen, trainable }) => [...unfrozen, ...trainable]))];
}

/** Saves everything that a later process needs to resume here. */
export async function saveState(run: Run, state: TrainingState): Promise<SavedState> {
  const { clock, learningRate, watch, before, blend, gradients, slots, averages } = state;
  const { batches, examples, sums } = gradients;
  const slotsByName = [...slots.byName].flatMap(([name, own]) =>
    own.state.map((slot, place) => [`${name}/${place}`, slot] as const),
  );
  const tensors = [
    ...under(
      'weights',
      unfrozenIn(run).map(({ name, variable }) => [name, variable]),
    ),
    ...under('optimizer', slotsByName),
    ...under('averages', averages?.byName() ?? []),
    ...under('best', byName(watch.bestWeights)),
    ...under('start', byName(state.start)),
    ...under(
      'gradients',
      sums.map((sum, place) => [String(place), sum]),
    ),
  ];
  const stored = tensors.map(async ([name, value]) => [name, await valuesOf(value)] as const);
  const headTrained = run.model.head.trained;
  const steps = Object.fromEntries([...slots.byName].map(([name, own]) => [name, own.steps]));
  const waiting = { batches, examples };
  const numbers = { clock, learningRate, watch: watch.state, before, blend, waiting, headTrained, steps };
  return { numbers, tensors: new Map(await Promise.all(stored)) };
}

/** Restores a saved state, including the weights of the model. */
export function restoreState(run: Run, state: TrainingState, { numbers, tensors }: SavedState): void {
  const read = (name: string): Tensor | undefined => {
    const stored = tensors.get(name);
    return stored && keep(tensor(stored.values, [...stored.shape]));
  };
  state.clock = numbers.clock;
  state.learningRate = numbers.learningRate;
  state.watch.state = numbers.watch;
  state.before = numbers.before;
  state.blend = numbers.blend;
  const best = new Map<TrunkWeight, Tensor>();
  const start = new Map<TrunkWeight, Tensor>();
  for (const weight of unfrozenIn(run)) {
    assign(weight, read(`weights/${weight.name}`));
    const steps = numbers.steps[weight.name];
    if (steps !== undefined) {
      state.slots.set(weight.name, { state: listed((place) => read(`optimizer/${weight.name}/${place}`)), steps });
    }
    const average = read(`averages/${weight.name}`);
    if (average !== undefined) state.averages?.set(weight, average);
    const value = read(`best/${weight.name}`);
    if (value !== undefined) best.set(weight, value);
    const first = read(`start/${weight.name}`);
    if (first !== undefined) start.set(weight, first);
  }
  if (best.size > 0) state.watch.keep(snapshotOf(best));
  if (start.size > 0) {
    state.start?.dispose();
    state.start = snapshotOf(start);
  }
  state.gradients.restore(
    listed((place) => read(`gradients/${place}`)),
    numbers.waiting,
  );
  run.model.head.trained = numbers.headTrained;
}

/** The values of a snapshot by weight name. */
function byName(snapshot: Snapshot | undefined): (readonly [string, Tensor])[] {
  return [...(snapshot?.values ?? [])].map(([{ name }, value]) => [name, value]);
}

/** Sets exactly this value: `write` would apply the layer's constraint a second time. */
function assign({ variable }: TrunkWeight, value: Tensor | undefined): void {
  if (value === undefined) return;
  variable.assign(value);
  dispose(value);
}

/** Adds a prefix to names. */
function under(word: string, tensors: Iterable<readonly [string, Tensor]>): (readonly [string, Tensor])[] {
  return Array.from(tensors, ([name, value]) => [`${word}/${name}`, value]);
}

/** The values at 0, 1, … up to the first that is missing. */
function listed<T>(read: (place: number) => T | undefined): T[] {
  const values: T[] = [];
  for (let value = read(0); value !== undefined; value = read(values.length)) values.push(value);
  return values;
}

async function valuesOf(value: Tensor): Promise<StoredTensor> {
  const values = await value.data();
  if (values instanceof Float32Array || values instanceof Int32Array) return { shape: value.shape, values };
  throw internalError(`a checkpoint holds float32 and int32, not ${value.dtype}`);
}
