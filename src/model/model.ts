// The parts of a model: preprocessing, a base, a head. Types only.
import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import type { Channels } from '../core/pictureLimits.ts';
import type { TrainingLog } from '../core/logs.ts';
import type { LayersTrunk, Shape, Trunk } from '../core/types.ts';
import type { TaskName } from './tasks/tasks.ts';

/** Preprocessing that turns raw input into input of the base. It is data, and saved with the model. */
export type PreprocessorSpec = ImageSpec | TensorInputSpec | CustomSpec;

/**
 * Scaling of pixel values 0..255. Either a name from keras.applications, or mean and standard deviation of pixels /
 * 255, as one number for all channels or one for each. `caffe` and `torch` are for three channels.
 */
export type ImageMode =
  | 'tf'
  | 'caffe'
  | 'torch'
  | 'unit'
  | 'raw'
  | { readonly mean: number | readonly number[]; readonly std: number | readonly number[] };

/** Preprocessing of pictures. */
export interface ImageSpec {
  readonly kind: 'image';
  /** Height and width of the base's input, in pixels. */
  readonly size: readonly [number, number];
  readonly mode: ImageMode;
  readonly resize: 'antialias' | 'bilinear' | 'nearest';
  /**
   * How a picture of other proportions fills the input: `'cover'` crops its middle, `'stretch'` changes its proportions,
   * `'contain'` adds black borders.
   */
  readonly fit: 'stretch' | 'cover' | 'contain';
  /**
   * Channels of the base's input: 1 (brightness), 3 (red, green, blue) or 4 (red, green, blue, opacity). Default 3;
   * `loadBase` uses those of the base.
   */
  readonly channels?: Channels;
}

/** No preprocessing: the inputs are tensors or arrays in the format of the base's input. */
export interface TensorInputSpec {
  readonly kind: 'tensor';
  /** Shape of one example, without the batch axis; `null` for a free axis. */
  readonly shape: Shape;
  readonly dtype: DataType;
  /** Smallest and largest value that the base was trained on, if known. */
  readonly range?: readonly [number, number];
}

/** The user's own preprocessing, saved by name. `load` takes the function again. */
export interface CustomSpec {
  readonly kind: 'custom';
  readonly name: string;
}

/** Converts one raw example to one input of the trunk, without the batch axis. */
export interface Preprocessor<Input = unknown> {
  readonly spec: PreprocessorSpec;
  /** Preprocesses one example. The caller owns the tensor. */
  apply(input: Input): Tensor | Promise<Tensor>;
}

/** A weight that has another shape in the file. */
export interface WrongShape {
  readonly name: string;
  readonly expected: readonly number[];
  readonly received: readonly number[];
}

/** Result of matching a weights file with a network. */
export interface WeightsReport {
  /** Weights of the network that the file has (`layer/weight`). */
  readonly assigned: readonly string[];
  /** Weights of the network that the file lacks. */
  readonly missing: readonly string[];
  /** Weights of the file that the network lacks, by their paths in the file. */
  readonly unexpected: readonly string[];
  readonly wrongShape: readonly WrongShape[];
}

/** A pretrained network whose classifier is cut off, with the preprocessing it expects. */
export interface Base extends Disposable {
  readonly name: string;
  readonly trunk: Trunk;
  readonly preprocessor: Preprocessor;
  /** Name of the layer that gives the features. */
  readonly cut: string;
  /** Which weights of a preset come from a Keras weights file. Missing for other bases. */
  readonly weightsReport?: WeightsReport;
  /** Layers that were left out when the model was read, because they only act in training (augmentation). */
  readonly notes: readonly string[];
  /**
   * Returns a table as text, similar to Keras's `model.summary()`: stage, name, kind, output shape and number of
   * parameters of each layer, then the sums (trainable, frozen) and the cut. `any` means a free axis. For a GraphModel,
   * output shapes are known only at nodes that all values pass through. A stage ends at its last layer. Stages before
   * the first unfrozen weight run once for each example.
   *
   * @example
   * ```ts
   * console.log(base.summary());
   * ```
   */
  summary(): string;
  /** Frees the trunk, even if models use it: their verbs then raise `DISPOSED`. A second call does nothing. */
  dispose(): void;
}

/** Tasks of a model with several heads, by the names of the heads. */
export type Tasks = Readonly<Record<string, TaskName>>;

/** One of a model's heads: its task, its labels, and its columns of the logits. */
export interface HeadPart {
  /** Its name in a record of heads; '' for a single head. */
  readonly name: string;
  readonly task: TaskName;
  /** Names of its labels, or of the outputs of a regression, in the order of its logits. */
  readonly labels: readonly string[];
  /** Its logits are the columns `from` … `to - 1` of the trunk's output. Its targets have the same columns. */
  readonly from: number;
  readonly to: number;
  /**
   * Threshold of each logit, 0 … 1: the label is chosen if its probability is above it (`multiLabel`; for `binary` the
   * second label). Default: one half. `tuneThresholds` sets it.
   */
  thresholds?: readonly number[] | undefined;
}

/** A new, trainable end of a network. Its output is logits [b, units], or values for a regression. */
export interface Head<T extends TaskName | Tasks = TaskName> {
  /** The task; for several heads a record of tasks by their names. */
  readonly task: T;
  /** The heads in the order of their logits. A single task has one. */
  readonly parts: readonly HeadPart[];
  readonly trunk: LayersTrunk;
  /** Whether training has changed its weights at least once. */
  trained: boolean;
}

/** The labels of a model: a list for a single task, a record of lists by the names of several heads. */
export type LabelsOf<T extends TaskName | Tasks, Label extends string = string> = T extends Tasks
  ? { readonly [Name in keyof T]: readonly string[] }
  : readonly Label[];

/**
 * A base with a new head, or with several heads: `TransferModel<{ kind: 'classes'; age: 'regression' }>`. `Label` is
 * the union of a single head's labels, if the compiler knows them: `TransferModel<'classes', 'cat' | 'dog'>`.
 */
export interface TransferModel<
  T extends TaskName | Tasks = TaskName,
  Label extends string = string,
> extends Disposable {
  /** The task; for several heads a record of tasks by their names. */
  readonly task: T;
  readonly base: Base;
  readonly head: Head<T>;
  /**
   * Names of labels, or of the outputs of a regression, in the order of the head's outputs. For several heads a record
   * by their names.
   */
  readonly labels: LabelsOf<T, Label>;
  /** Logs of all training of the model. Verbs append to it. */
  history: readonly TrainingLog[];
  /**
   * Frees the head, and the base if no other model shares it. Verbs that run on the model reject with `DISPOSED`;
   * memory is freed when they have ended. A second call does nothing.
   */
  dispose(): void;
}

/**
 * A model whose task is known only when it is loaded: compare its `task`, and the compiler knows its labels and
 * predictions.
 */
export type LoadedModel = { [T in TaskName]: TransferModel<T> }[TaskName] | TransferModel<Tasks>;

/** A model with one head or with several. */
export type AnyModel = TransferModel<TaskName | Tasks>;
