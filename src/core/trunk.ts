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

/** Role of a weight in its layer. `statistics` are BatchNorm's moving mean and variance, which have no gradient. */
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
  /** Sets the value; the layer's constraint is applied. The caller keeps the tensor. */
  write(value: Tensor): void;
}

/** A constant of a GraphModel that is never trained, and the reason: shapes, axes, integers, preprocessing. */
export interface FixedConstant {
  readonly name: string;
  readonly reason: string;
}

/** A part of a trunk between two possible cuts. */
export interface Stage {
  /** Name of the last layer: the stage ends at its output. */
  readonly name: string;
  /** Layers in the order in which they run. */
  readonly layers: readonly string[];
  readonly output: TensorSpec;
  /** Whether the stage gives other values in training than in inference with the same weights (dropout, noise). */
  readonly stochastic: boolean;
}

/** A range of stages of a trunk. */
export interface StageRange {
  /** First stage to run; its input is the output of the previous stage. Default 0. */
  readonly from?: number;
  /** Stage to stop before. Default: the number of stages. */
  readonly to?: number;
}

/** Which part of a trunk to run, and how. */
export interface RunOptions extends StageRange {
  /** Dropout and noise layers are active when a seed is given; without it every layer runs in inference mode. */
  readonly dropoutSeed?: number;
  /**
   * Whether layers are computed together where possible: for example a convolution with the following BatchNorm and
   * activation. Default true. Without fusion the values differ in their last bits. A trunk of a GraphModel always runs
   * its nodes as they are.
   */
  readonly fused?: boolean;
  /**
   * When given, BatchNorm layers that are not frozen run in training mode, like Keras's with `training=True`: each
   * channel is normalised by its mean and variance over the batch, and gradients flow through both. Frozen layers still
   * use their stored statistics. Where a channel has a single value (a batch of one vector), the variance is 0 and the
   * output is beta, as in Keras: nothing is learned from such batches.
   *
   * The callback receives the layers' new statistics once, before `run` returns, and owns the tensors: `moving *
   * momentum + batch * (1 - momentum)` with the layer's momentum (0.99 in a GraphModel, whose nodes have none) and the
   * variance divided by the number of values, as in Keras 3. `run` does not write them to the layers.
   */
  readonly onStatistics?: (moved: readonly MovedStatistic[]) => void;
  /** With `onStatistics`: the momentum of all layers, from 0 to below 1, instead of their own. */
  readonly momentum?: number;
}

/** The new value of a statistic of BatchNorm after a run in training mode. */
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

/** A part of a trunk prepared for inference only: fused, with a copy of the weights at the time of the call. */
export interface FoldedPart extends Disposable {
  /**
   * Runs the part without dropout and without gradients. The caller keeps the input until the result is there, and owns
   * the result. It is a promise on an engine other than this package's own, and where several programs run in turn.
   */
  readonly run: (input: Tensor) => Tensor | Promise<Tensor>;
  /** Layers that run unchanged, because this package has no folded form of them. */
  readonly unfolded: readonly string[];
  /**
   * Nodes that the engine of `useBackend` has no form for, with the reason. This package's own engine runs them.
   * Missing when there are none.
   */
  readonly leftToOwn?: readonly string[];
  /** Frees the copy of the weights. A second call does nothing. */
  dispose(): void;
  /**
   * For debugging. Parts of `loadBase` and `replaceHead` list their steps: name, operation, output shape, constants,
   * and the number of multiplications for one example.
   */
  toString(): string;
}

/** Description of a layer or node for `base.summary()`. */
export interface LayerDescription {
  /** Class of the layer, or operation of the node. */
  readonly kind: string;
  /** Shape of its output, where it is known. */
  readonly shape?: Shape | undefined;
}

/** A network as nodes of a GraphModel, in the order in which they run. */
export interface WrittenNodes {
  /**
   * The network's own nodes: a single Placeholder, which is the input, and every node after those that it reads. A
   * Const may have an empty `attr`: its type and shape are filled in.
   */
  readonly nodes: readonly NodeSpec[];
  /** Name of the Placeholder. */
  readonly input: string;
  /** Name of the node that gives the trunk's output. */
  readonly output: string;
  /**
   * Values of all Const nodes by name. The caller owns the tensors: return a `tf.clone` of tensors that the trunk
   * keeps.
   */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Other fields of a GraphModel's file: functions that nodes call, versions. */
  readonly rest?: JsonObject;
}

/**
 * A network as one differentiable function with places where it can be cut. Bases and heads contain one.
 *
 * All code uses only this interface: a custom trunk works in every verb. `defineTrunk` makes one from stages,
 * `defineBase` makes a base from it, and `checkTrunk` of `transferkit/testing` checks the requirements stated here.
 * Some members are optional; a verb that needs a missing one raises `UNSUPPORTED_TRUNK`, which names it.
 */
export interface Trunk extends Disposable {
  readonly input: TensorSpec;
  readonly output: TensorSpec;
  /** At least one: stage 0 takes `input`, each other one the output of the previous stage; the last gives `output`. */
  readonly stages: readonly Stage[];
  readonly weights: readonly TrunkWeight[];
  /** Constants that are not weights; [] where every number is a weight. */
  readonly fixed: readonly FixedConstant[];
  /** Names that layers of a head must not have: those of all layers, and of all nodes that `writeNodes` writes. */
  readonly names: ReadonlySet<string>;
  readonly disposed: boolean;
  /**
   * Runs stages `from` … `to - 1`, in inference mode unless the options say otherwise. Gradients flow to weights and
   * input. No weight changes. The caller keeps the input and owns the result; all other tensors are freed.
   *
   * @param input - [b, …] with the shape and type that stage `from` takes.
   * @returns [b, …] with the output shape of stage `to - 1`; never the input itself.
   * @throws TransferKitError `DISPOSED`, `WRONG_SHAPE`, `WRONG_DTYPE`; with `onStatistics` also the errors of
   * `movingStatistics`.
   */
  run(input: Tensor, options?: RunOptions): Tensor;
  /** Prepares a part for many runs of inference. The trunk must stay alive as long as the part is used. */
  fold(range?: StageRange): Promise<FoldedPart>;
  /**
   * Frees the weights and all other memory of the trunk. While a verb uses the trunk, they are freed when it ends;
   * `disposed` is true at once. A second call does nothing.
   */
  dispose(): void;
  /**
   * Lists the weights that runs with `onStatistics` give new values for: mean and variance of every BatchNorm layer in
   * which both are not frozen. A trunk without this method cannot train BatchNorm by the batch: `run` never receives
   * `onStatistics`, and `batchNorm: 'train'` raises `UNSUPPORTED_TRUNK` if weights of the kind `statistics` are not
   * frozen.
   *
   * @param unfrozen - Used instead of the weights that are not frozen now.
   * @throws TransferKitError `UNSUPPORTED_LAYER` for such a layer that does not simply normalise by its batch in
   * training (`renorm`, `synchronized`, `virtual_batch_size`).
   */
  movingStatistics?(unfrozen?: readonly TrunkWeight[]): readonly TrunkWeight[];
  /**
   * The sum of the weight penalties (L1, L2) of the layers that hold the given weights; undefined when there is none.
   * The caller owns the scalar. A trunk without this method has no penalties.
   */
  penalty?(moving: readonly TrunkWeight[]): Scalar | undefined;
  /**
   * Finds the first layer or node that has no gradient although gradients must pass it; undefined where none is known.
   * Nothing is computed. For a trunk without this method, the first training step raises instead.
   *
   * @param moving - Weights of this trunk that are to be trained.
   * @param throughInput - Whether gradients are wanted for the input too.
   */
  blockedBy?(moving: readonly TrunkWeight[], throughInput: boolean): BlockedOperation | undefined;
  /**
   * Describes a layer for `base.summary()`, without its weights. Without this method kinds and inner shapes are left
   * out.
   */
  describeLayer?(layer: string): LayerDescription;
  /** The unit of the names in `stages`, for `base.summary()`. Default `'layers'`. */
  readonly unit?: 'layers' | 'nodes';
  /** The same network as tfjs layers, with weights named `layer/weight`: `save` then writes a LayersModel. */
  readonly layers?: LayerNetwork;
  /**
   * Returns the same network as nodes of a GraphModel, with the current weights: `save` and `toGraphModel` use it where
   * there are no `layers`. Without both members they raise `UNSUPPORTED_TRUNK`.
   *
   * Every weight is a constant with the weight's name, so that `load` finds it again.
   *
   * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that cannot be written as nodes.
   */
  writeNodes?(): WrittenNodes;
}

/** A network of tfjs layers as plain data. */
export interface LayerNetwork {
  readonly graph: LayerGraph;
  /** Shape of every call's first output. */
  readonly shapes: readonly Shape[];
  /** Calls whose outputs are the boundaries of stages: the input, then the last call of each stage. */
  readonly boundaries: readonly number[];
}

/** A trunk of tfjs layers: heads are such trunks. */
export interface LayersTrunk extends Trunk {
  readonly layers: LayerNetwork;
}
