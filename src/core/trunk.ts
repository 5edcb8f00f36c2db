// What a trunk is: a pretrained network as one differentiable function that can be cut into stages. Types only.
import type { DataType, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { LayerGraph, NodeSpec } from './graphs.ts';
import type { JsonObject } from './json.ts';

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

/** A layer or node as `base.summary()` shows it. */
export interface LayerDescription {
  /** Class of the layer, or operation of the node. */
  readonly kind: string;
  /** Shape of its output, where it is known. */
  readonly shape?: Shape | undefined;
}

/** A network as nodes of a GraphModel, in the order in which they run. */
export interface WrittenNodes {
  /**
   * The network's own nodes: a single Placeholder, which is the input, and every node behind those it reads. A Const may
   * leave `attr` empty: its type and shape are filled in.
   */
  readonly nodes: readonly NodeSpec[];
  /** Name of the Placeholder. */
  readonly input: string;
  /** Name of the node that gives the trunk's output. */
  readonly output: string;
  /** Values of all Const nodes by their names. The caller owns the tensors: give a `tf.clone` of what the trunk keeps. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** What else the file of a GraphModel says: functions that nodes call, versions. */
  readonly rest?: JsonObject;
}

/**
 * A network as one differentiable function with places where it can be cut. Bases have one, heads have one.
 *
 * All code is written against this interface: a trunk of another make works in every verb. `defineTrunk` makes one of
 * stages, `defineBase` makes a base of it, and `checkTrunk` of `transferkit/testing` checks the promises made here. What
 * a trunk need not have is optional; a verb that needs it raises `UNSUPPORTED_TRUNK`, which names what is missing.
 */
export interface Trunk extends Disposable {
  readonly input: TensorSpec;
  readonly output: TensorSpec;
  /** From the input on, at least one: stage 0 takes `input`, each takes the output of the one before, the last gives `output`. */
  readonly stages: readonly Stage[];
  readonly weights: readonly TrunkWeight[];
  /** Constants that are no weights; [] where every number is one. */
  readonly fixed: readonly FixedConstant[];
  /** Names that layers of a head must not have: those of all layers, and of all nodes that `writeNodes` writes. */
  readonly names: ReadonlySet<string>;
  readonly disposed: boolean;
  /**
   * Runs stages `from` … `to - 1`, in inference mode unless the options say otherwise; gradients flow to weights and input.
   * No weight moves. The input stays the caller's, who owns the result too; nothing else is left behind.
   *
   * @param input - [b, …] of the shape and type that stage `from` takes.
   * @returns [b, …] as stage `to - 1` promises; never the input itself.
   * @throws TransferKitError `DISPOSED`, `WRONG_SHAPE`, `WRONG_DTYPE`; with `onStatistics` what `movingStatistics` raises.
   */
  run(input: Tensor, options?: RunOptions): Tensor;
  /** A part prepared for many runs of inference. The trunk must live as long. */
  fold(range?: StageRange): Promise<FoldedPart>;
  /**
   * Frees the weights and everything else that the trunk holds; while a verb runs on it that happens when the verb ends, and
   * `disposed` is true at once. A second call does nothing.
   */
  dispose(): void;
  /**
   * The weights that runs with `onStatistics` give new values for: mean and variance of every BatchNorm layer that has
   * both unfrozen. A trunk without this method cannot train BatchNorm by the batch: `run` never receives `onStatistics`,
   * and `batchNorm: 'train'` raises `UNSUPPORTED_TRUNK` where it has weights of the kind `statistics` unfrozen.
   *
   * @param unfrozen - Instead of the weights that are not frozen now.
   * @throws TransferKitError `UNSUPPORTED_LAYER` for one of them that does not normalise by its batch alone in training
   * (`renorm`, `synchronized`, `virtual_batch_size`).
   */
  movingStatistics?(unfrozen?: readonly TrunkWeight[]): readonly TrunkWeight[];
  /**
   * Sum of the weight penalties (L1, L2) of the layers that hold the given weights; undefined when there is none. The caller
   * owns the scalar. A trunk without this method has no penalties.
   */
  penalty?(moving: readonly TrunkWeight[]): Scalar | undefined;
  /**
   * The first layer or node that has no gradient although gradients would have to pass it; undefined where none is known.
   * Nothing runs. A trunk without this method finds out in its first step of training.
   *
   * @param moving - Weights of this trunk that are to be trained.
   * @param throughInput - Whether gradients are wanted for the input too.
   */
  blockedBy?(moving: readonly TrunkWeight[], throughInput: boolean): BlockedOperation | undefined;
  /** What `base.summary()` shows of a layer beside its weights. Without it kinds and inner shapes are left out. */
  describeLayer?(layer: string): LayerDescription;
  /** What `stages` list, as `base.summary()` calls them. Default `'layers'`. */
  readonly unit?: 'layers' | 'nodes';
  /** The same network as tfjs layers, its weights named `layer/weight`: with it `save` writes a LayersModel. */
  readonly layers?: LayerNetwork;
  /**
   * The same network as nodes of a GraphModel, with the weights of this moment: what `save` and `toGraphModel` write where
   * there are no `layers`. With neither of the two both raise `UNSUPPORTED_TRUNK`.
   *
   * Every weight is a constant of its own name, so that `load` finds it again.
   *
   * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that have no form as nodes.
   */
  writeNodes?(): WrittenNodes;
}

/** A network of tfjs layers as plain data. */
export interface LayerNetwork {
  readonly graph: LayerGraph;
  /** Shape of every call's first output. */
  readonly shapes: readonly Shape[];
  /** Calls whose outputs are where stages begin and end: the input, then the last call of each stage. */
  readonly boundaries: readonly number[];
}

/** A trunk of tfjs layers: heads are such trunks. */
export interface LayersTrunk extends Trunk {
  readonly layers: LayerNetwork;
}
