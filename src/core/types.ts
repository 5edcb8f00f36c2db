// The words that all parts share: samples and a log of training, and what a trunk is. Types only.
export type {
  BlockedOperation,
  FixedConstant,
  FoldedPart,
  LayerDescription,
  LayerNetwork,
  LayersTrunk,
  MovedStatistic,
  RunOptions,
  Shape,
  Stage,
  StageRange,
  TensorSpec,
  Trunk,
  TrunkWeight,
  WeightKind,
  WrittenNodes,
} from './trunk.ts';

/**
 * What one head is to predict: a label, or its index; several labels (`multiLabel`); a number or several (`regression`). Lists
 * of numbers may also be shares of the labels: for `classes` and `ordinal` they sum to 1, for `multiLabel` each is 0 … 1; `binary` takes the
 * share of the second label too.
 */
export type HeadTarget = string | readonly string[] | number | readonly number[];

/** What is to be predicted: by the only head, or by each of several, by name: `{ kind: 'cat', age: 3 }`. */
export type Target = HeadTarget | Readonly<Record<string, HeadTarget>>;

/** One example: raw input, what is to be predicted, and a name to report it by. */
export interface Sample<Input = unknown> {
  readonly input: Input;
  readonly target: Target;
  readonly id: string;
  /** How much the example counts in the loss, from 0. Default 1. */
  readonly weight?: number;
}

/** What to do with an example that cannot be read: stop with an error that lists all of them, or leave it out and say so. */
export type OnUnreadable = 'error' | 'skip';

/** An example that could not be read, and why. */
export interface Unreadable {
  readonly id: string;
  readonly reason: string;
}

/** Examples with random access. */
export interface Samples<Input = unknown> {
  readonly size: number;
  /** Class names in alphabetical order unless given; [] for several heads, and for numbers without given labels. */
  readonly labels: readonly string[];
  /** Examples of each label, those with a share of it too; {} where there are no labels. */
  readonly classCounts: Readonly<Record<string, number>>;
  /** The same of each head, where targets are records. */
  readonly heads?: Readonly<Record<string, Pick<Samples, 'labels' | 'classCounts'>>>;
  readonly onUnreadable: OnUnreadable;
  /** Target of an example, known without reading its input. */
  target(index: number): Target;
  /** The example at an index 0 … size - 1. Raises or rejects with `UNREADABLE` when its input cannot be read. */
  read(index: number): Sample<Input> | Promise<Sample<Input>>;
  /**
   * Two disjoint parts, drawn by the seed so that each keeps the proportions of the classes; of records those of the first
   * head whose targets are single labels.
   */
  split(options: SplitOptions): { readonly train: Samples<Input>; readonly validation: Samples<Input> };
}

/** How to split samples. */
export interface SplitOptions {
  /** Share that goes to validation, above 0 and below 1. */
  readonly validation: number;
  /** Default 0. */
  readonly seed?: number;
}

/** Where a running verb is. */
export interface Progress {
  readonly phase: 'features' | 'head' | 'fineTune' | 'evaluate';
  readonly done: number;
  readonly total: number;
  /** Estimate from the pace so far; undefined until there is one. */
  readonly secondsLeft: number | undefined;
  /** Seconds that `augment` has taken so far in this phase; missing where inputs are not changed. */
  readonly augmentSeconds?: number;
}
