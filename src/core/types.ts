// The types that all rooms share: samples, the log of training, and those of trunks. Types only.
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
 * The target of one head: a label, or its index; several labels (`multiLabel`); a number or several (`regression`). A
 * list of numbers may also give the share of each label: for `classes` and `ordinal` the shares sum to 1, for
 * `multiLabel` each is 0 … 1. For `binary` a single number may give the share of the second label.
 */
export type HeadTarget = string | readonly string[] | number | readonly number[];

/** Target of an example: for the only head, or a record with one for each head: `{ kind: 'cat', age: 3 }`. */
export type Target = HeadTarget | Readonly<Record<string, HeadTarget>>;

/** One example: raw input, its target, and a name for reports. */
export interface Sample<Input = unknown> {
  readonly input: Input;
  readonly target: Target;
  readonly id: string;
  /** Weight of the example in the loss, from 0. Default 1. */
  readonly weight?: number;
}

/** What to do with examples that cannot be read: raise an error that lists all of them, or skip and report them. */
export type OnUnreadable = 'error' | 'skip';

/** An example that could not be read, and why. */
export interface Unreadable {
  readonly id: string;
  readonly reason: string;
}

/** Examples with random access. */
export interface Samples<Input = unknown> {
  readonly size: number;
  /** Labels in alphabetical order unless given; [] for several heads, and for numbers without given labels. */
  readonly labels: readonly string[];
  /** Number of examples of each label, including those with a share of it; {} where there are no labels. */
  readonly classCounts: Readonly<Record<string, number>>;
  /** `labels` and `classCounts` of each head, where targets are records. */
  readonly heads?: Readonly<Record<string, Pick<Samples, 'labels' | 'classCounts'>>>;
  readonly onUnreadable: OnUnreadable;
  /** Target of an example, available without reading its input. */
  target(index: number): Target;
  /** The example at an index 0 … size - 1. Raises or rejects with `UNREADABLE` when its input cannot be read. */
  read(index: number): Sample<Input> | Promise<Sample<Input>>;
  /**
   * Returns two disjoint parts, drawn by the seed. Each keeps the proportions of the labels; where targets are records,
   * those of the first head with single labels.
   */
  split(options: SplitOptions): { readonly train: Samples<Input>; readonly validation: Samples<Input> };
}

/** How to split samples. */
export interface SplitOptions {
  /** Share of the examples for validation, above 0 and below 1. */
  readonly validation: number;
  /**
   * Fewest examples of each label for validation, from 1, as far as they are no more than a quarter of the label's
   * examples. Without labels: fewest examples. Default 1.
   */
  readonly atLeast?: number;
  /** Seed of the draw. Default 0. */
  readonly seed?: number;
}

/** Progress of a running verb. */
export interface Progress {
  readonly phase: 'features' | 'head' | 'fineTune' | 'evaluate';
  readonly done: number;
  readonly total: number;
  /** Estimated from the pace so far; undefined until there is an estimate. */
  readonly secondsLeft: number | undefined;
  /** Seconds that `augment` has taken so far in this phase; missing where inputs are not augmented. */
  readonly augmentSeconds?: number;
}
