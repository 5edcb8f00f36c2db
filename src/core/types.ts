// The words that all parts share: what a trunk, samples and a log of training are. Types only.
import type { DataType, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';

/** The shape of a tensor; `null` marks a free axis, such as the batch axis. */
export type Shape = readonly (number | null)[];

/** Shape and type of a tensor that does not exist yet. */
export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype: DataType;
}

/** What a weight does in its layer. `statistics` are BatchNorm's moving mean and variance: no gradient moves them. */
export type WeightKind = 'kernel' | 'bias' | 'gamma' | 'beta' | 'statistics' | 'other';

/** One named weight of a trunk. `frozen` is the single source of truth about whether training may move it. */
export interface TrunkWeight {
  /** `layer/weight`, unique in the trunk. */
  readonly name: string;
  readonly layer: string;
  /** Index of the stage that the layer belongs to. */
  readonly stage: number;
  readonly shape: readonly number[];
  readonly kind: WeightKind;
  readonly variable: Variable;
  frozen: boolean;
  /** Sets the value (the layer's constraint is applied); the tensor stays the caller's. */
  write(value: Tensor): void;
}

/** A constant of a GraphModel that never trains, and why: shapes, axes, integers, preprocessing. */
export interface FixedConstant {
  readonly name: string;
  readonly reason: string;
}

/** A part of a trunk between two places where it can be cut. */
export interface Stage {
  /** Name of the last layer: the stage ends at its output. */
  readonly name: string;
  /** Layers in the order in which they run. */
  readonly layers: readonly string[];
  readonly output: TensorSpec;
  /** Whether the stage gives other values in training than in inference although no weight moves (dropout, noise). */
  readonly stochastic: boolean;
}

/** A part of a trunk. */
export interface StageRange {
  /** First stage to run; the input is the output of the stage before. Default 0. */
  readonly from?: number;
  /** Stage to stop before. Default: the number of stages. */
  readonly to?: number;
}

/** Which part of a trunk to run, and how. */
export interface RunOptions extends StageRange {
  /** Dropout and noise layers are active when a seed is given; without it every layer runs in inference mode. */
  readonly dropoutSeed?: number;
  /**
   * Whether layers that can be are computed together: a convolution with the BatchNorm and the activation behind it, for
   * one. Default true. Layer by layer the values differ in their last bits. A trunk of a GraphModel runs what its nodes say.
   */
  readonly fused?: boolean;
  /**
   * With it BatchNorm layers that are not frozen run in training mode, as Keras's do with `training=True`: each channel is
   * normalised by its mean and variance over the batch, and gradients flow through both. Frozen ones stay as they are,
   * by their stored statistics. Where a channel has a single value (a batch of one vector) the variance is 0 and the
   * output is beta, as in Keras: such batches teach nothing.
   *
   * It receives the layers' new statistics once, before `run` returns, and owns the tensors: `moving * momentum + batch *
   * (1 - momentum)` with the layer's momentum (0.99 in a GraphModel, whose nodes have none) and the variance divided by the
   * number of values, as in Keras 3. Nothing is written.
   */
  readonly onStatistics?: (moved: readonly MovedStatistic[]) => void;
  /** With `onStatistics`: the momentum of all layers, 0 … below 1, in place of their own. */
  readonly momentum?: number;
}

/** What one of BatchNorm's statistics becomes by a run in training mode. */
export interface MovedStatistic {
  readonly weight: TrunkWeight;
  readonly value: Tensor;
}

/** A layer or node that gradients cannot pass. */
export interface BlockedOperation {
  readonly name: string;
  /** Class of the layer, or operation of the node. */
  readonly kind: string;
}

/** A part of a trunk prepared for inference alone: fused, with the weights of the moment when it was made. */
export interface FoldedPart extends Disposable {
  /** Runs the part without dropout; nothing flows back. The caller owns the result. */
  readonly run: (input: Tensor) => Tensor;
  /** Layers that run as they are, because there is no other form of them here. */
  readonly unfolded: readonly string[];
  /** Frees the copy of the weights. A second call does nothing. */
  dispose(): void;
}

/** A network as one differentiable function with places where it can be cut. Bases have one, heads have one. */
export interface Trunk extends Disposable {
  readonly format: 'layers' | 'graph';
  readonly input: TensorSpec;
  readonly output: TensorSpec;
  readonly stages: readonly Stage[];
  readonly weights: readonly TrunkWeight[];
  /** Constants that are no weights; [] where every number is one. */
  readonly fixed: readonly FixedConstant[];
  readonly disposed: boolean;
  /**
   * Runs stages `from` … `to - 1`, in inference mode unless the options say otherwise; gradients flow to weights and input.
   * No weight moves. The caller owns the result.
   *
   * @throws TransferKitError `DISPOSED`, `WRONG_SHAPE`, `WRONG_DTYPE`; with `onStatistics` what `movingStatistics` raises.
   */
  run(input: Tensor, options?: RunOptions): Tensor;
  /**
   * The weights that runs with `onStatistics` give new values for: mean and variance of every BatchNorm layer that has
   * both unfrozen.
   *
   * @param unfrozen - Instead of the weights that are not frozen now.
   * @throws TransferKitError `UNSUPPORTED_LAYER` for one of them that does not normalise by its batch alone in training
   * (`renorm`, `synchronized`, `virtual_batch_size`).
   */
  movingStatistics(unfrozen?: readonly TrunkWeight[]): readonly TrunkWeight[];
  /**
   * The first layer or node that has no gradient although gradients would have to pass it; undefined where none is known.
   * Nothing runs. A trunk without this method finds out in its first step of training.
   *
   * @param moving - Weights of this trunk that are to be trained.
   * @param throughInput - Whether gradients are wanted for the input too.
   */
  blockedBy?(moving: readonly TrunkWeight[], throughInput: boolean): BlockedOperation | undefined;
  /** A part prepared for many runs of inference. The trunk must live as long. */
  fold(range?: StageRange): Promise<FoldedPart>;
  /** Sum of the weight penalties (L1, L2) of the layers that hold the given weights; undefined when there is none. */
  penalty(moving: readonly TrunkWeight[]): Scalar | undefined;
  /**
   * Frees the layers and their weights; while a verb runs on them that happens when it ends, and `disposed` is true at once. A
   * second call does nothing.
   */
  dispose(): void;
}

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
