// What the page knows, and who hears when it changes.
import type { KnownBase } from './bases.ts';

/** A label and its place in the list. */
export interface Label {
  readonly id: number;
  readonly name: string;
}

/** A picture of a label, compressed. */
export interface Picture {
  readonly id: number;
  readonly label: number;
  readonly blob: Blob;
}

/** A base that the user opened: its files. */
interface OpenedBase {
  readonly name: string;
  readonly files: readonly File[];
}

/** The base that is chosen: one of the list by its path, or an opened one. */
export interface ChosenBase {
  readonly path?: string;
  readonly opened?: OpenedBase;
  /** How pixels are scaled, where the model does not say it. */
  readonly preprocess?: string;
}

/** How much of the network is trained. */
export type Depth = 'head' | 'end';

/** Figures after an epoch. */
export interface Point {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss: number | undefined;
  readonly validationAccuracy: number | undefined;
}

/** A training: what it was started with, and how far it came. */
export interface Run {
  /** Base, settings, labels and pictures: with others it cannot go on. */
  readonly of: string;
  readonly epochs: number;
  readonly points: readonly Point[];
  /** `running` after a reload: it was interrupted. */
  readonly state: 'running' | 'stopped' | 'done';
}

/** A picture that the model gets wrong. */
export interface Mistake {
  readonly picture: number;
  readonly actual: string;
  readonly predicted: string;
  readonly probability: number;
}

/** How good the model is on pictures that it was not trained with. */
export interface Result {
  /** What was trained: other pictures or settings since then make it old. */
  readonly of: string;
  readonly accuracy: number;
  readonly examples: number;
  readonly labels: readonly string[];
  /** [actual][predicted] */
  readonly confusion: readonly (readonly number[])[];
  readonly mistakes: readonly Mistake[];
}

/** What the worker is doing. */
export interface Work {
  readonly step: 'starting' | 'base' | 'features' | 'head' | 'fineTune' | 'evaluate';
  readonly share: number;
  readonly secondsLeft: number | undefined;
  readonly stopping: boolean;
}

/** Everything that views show. */
export interface State {
  readonly labels: readonly Label[];
  readonly pictures: readonly Picture[];
  readonly bases: readonly KnownBase[];
  readonly base: ChosenBase;
  /** Whether the model that was opened does not say how pixels are scaled. */
  readonly asksPreprocess: boolean;
  readonly depth: Depth;
  readonly epochs: number;
  readonly run: Run | undefined;
  readonly result: Result | undefined;
  /** Labels of the trained model, when there is one. */
  readonly modelLabels: readonly string[] | undefined;
  readonly work: Work | undefined;
  /** Name of what computes, once the worker runs. */
  readonly backend: string | undefined;
  /** Pictures that are being read. */
  readonly reading: { readonly done: number; readonly total: number } | undefined;
  /** Whether pictures of an earlier visit were found. */
  readonly returned: boolean;
}

let state: State = {
  labels: [],
  pictures: [],
  bases: [],
  base: {},
  asksPreprocess: false,
  depth: 'end',
  epochs: 8,
  run: undefined,
  result: undefined,
  modelLabels: undefined,
  work: undefined,
  backend: undefined,
  reading: undefined,
  returned: false,
};

const watchers: ((state: State) => void)[] = [];
let isScheduled = false;

/** The state as it is. */
export function current(): State {
  return state;
}

/** Changes the state. Views are drawn once for all changes of a moment. */
export function change(changes: Partial<State>): void {
  state = { ...state, ...changes };
  if (isScheduled) return;
  isScheduled = true;
  queueMicrotask(() => {
    isScheduled = false;
    for (const watcher of watchers) watcher(state);
  });
}

/** Calls a function now and after every change. */
export function watch(watcher: (state: State) => void): void {
  watchers.push(watcher);
  watcher(state);
}

/** Labels, pictures, base and settings as a text: two trainings of the same text can follow each other. */
export function descriptionOf({ labels, pictures, base, depth, epochs }: State): string {
  const names = new Map(labels.map(({ id, name }) => [id, name]));
  const examples = pictures.map(({ id, label }) => `${id} ${names.get(label) ?? ''}`);
  const { path, opened, preprocess = '' } = base;
  return [path ?? opened?.name ?? '', preprocess, depth, epochs, ...examples].join('\n');
}
