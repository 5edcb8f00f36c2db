// What a model is made of: preprocessing, a base, a head. Types only.
import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import type { Channels } from '../core/pictureLimits.ts';
import type { TrainingLog } from '../core/logs.ts';
import type { LayersTrunk, Shape, Trunk } from '../core/types.ts';
import type { TaskName } from './tasks/tasks.ts';

/** How raw input becomes what the base was trained on: data that is saved with the model. */
export type PreprocessorSpec = ImageSpec | TensorInputSpec | CustomSpec;

/**
 * Scaling of pixel values 0..255, named as in keras.applications; or mean and standard deviation of pixels / 255, one number for
 * all channels or one for each. `caffe` and `torch` are for three channels.
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
  /** Height and width that the base takes, in pixels. */
  readonly size: readonly [number, number];
  readonly mode: ImageMode;
  readonly resize: 'antialias' | 'bilinear' | 'nearest';
  readonly fit: 'stretch' | 'cover' | 'contain';
  /**
   * Channels that the base takes: 1 (brightness), 3 (red, green, blue) or 4 (these and opacity). Default 3; `loadBase` sets it
   * by the base's input.
   */
  readonly channels?: Channels;
}

/** No preprocessing: tensors or arrays that already are what the base expects. */
export interface TensorInputSpec {
  readonly kind: 'tensor';
  /** Shape of one example, without the batch axis; `null` for a free axis. */
  readonly shape: Shape;
  readonly dtype: DataType;
  /** Smallest and largest value that the base was trained on, where known. */
  readonly range?: readonly [number, number];
}

/** The user's own preprocessing, known by name; the function itself is handed in again on load. */
export interface CustomSpec {
  readonly kind: 'custom';
  readonly name: string;
}

/** Turns one raw example into one input of the trunk, without the batch axis. */
export interface Preprocessor<Input = unknown> {
  readonly spec: PreprocessorSpec;
  /** The caller owns the tensor. */
  apply(input: Input): Tensor | Promise<Tensor>;
}

/** A weight that the file holds in another shape. */
export interface WrongShape {
  readonly name: string;
  readonly expected: readonly number[];
  readonly received: readonly number[];
}

/** What a weights file gave to a network. */
export interface WeightsReport {
  /** Weights of the network that the file holds (`layer/weight`). */
  readonly assigned: readonly string[];
  /** Weights of the network that the file does not hold. */
  readonly missing: readonly string[];
  /** Weights of the file that the network does not have, by their place in the file. */
  readonly unexpected: readonly string[];
  readonly wrongShape: readonly WrongShape[];
}

/** A pretrained network whose classifier is cut off, with the preprocessing it expects. */
export interface Base extends Disposable {
  readonly name: string;
  readonly trunk: Trunk;
  readonly preprocessor: Preprocessor;
  /** Name of the layer that features are taken from. */
  readonly cut: string;
  /** What a file of Keras weights gave to a preset; missing for other bases. */
  readonly weightsReport?: WeightsReport;
  /** What was left out when the model was read, because it does nothing outside training (augmentation). */
  readonly notes: readonly string[];
  /**
   * A table as text, such as Keras's `model.summary()` prints: stage, name, kind, output shape and number of parameters of each
   * layer, then the sums, trainable and frozen, and the cut. `any` stands for a free axis. Of a GraphModel the output shapes
   * are known where all values pass through one node. A stage ends at its last layer; layers of the stages in front of the
   * first unfrozen weight run once for each example.
   *
   * @example
   * ```ts
   * console.log(base.summary());
   * ```
   */
  summary(): string;
  /** Frees the trunk, whatever models are on it: their verbs raise `DISPOSED`. A second call does nothing. */
  dispose(): void;
}

/** The tasks of a model with several heads, by their names. */
export type Tasks = Readonly<Record<string, TaskName>>;

/** One of a model's heads: what it answers, and which of the logits are its own. */
export interface HeadPart {
  /** Its name among several; '' for a head that is not one of a record. */
  readonly name: string;
  readonly task: TaskName;
  /** Class names, or names of the outputs of a regression, in the order of its logits. */
  readonly labels: readonly string[];
  /** Its logits are the columns `from` … `to - 1` of what the trunk gives, and so are its targets. */
  readonly from: number;
  readonly to: number;
  /**
   * For each logit the probability above which its label is chosen (`multiLabel`; `binary`: the second label), 0 … 1. Missing:
   * one half. `tuneThresholds` sets it.
   */
  thresholds?: readonly number[] | undefined;
}

/** A new, trainable end of a network. It gives logits [b, units], or plain numbers for regression. */
export interface Head<T extends TaskName | Tasks = TaskName> {
  /** One task, or those of several heads by their names. */
  readonly task: T;
  /** The heads in the order of their logits; one for a single task. */
  readonly parts: readonly HeadPart[];
  readonly trunk: LayersTrunk;
  /** Whether training has ever moved its weights. */
  trained: boolean;
}

/** The labels of a model: a list for a single task, one for each head by its name for several. */
export type LabelsOf<T extends TaskName | Tasks, Label extends string = string> = T extends Tasks
  ? { readonly [Name in keyof T]: readonly string[] }
  : readonly Label[];

/**
 * A base with a new head, or with several heads: `TransferModel<{ kind: 'classes'; age: 'regression' }>`. `Label` are the labels
 * of a single head where they are known to the compiler: `TransferModel<'classes', 'cat' | 'dog'>`.
 */
export interface TransferModel<
  T extends TaskName | Tasks = TaskName,
  Label extends string = string,
> extends Disposable {
  readonly base: Base;
  readonly head: Head<T>;
  /** Class names, or names of the outputs of a regression, in the order of the head's outputs; by head for several. */
  readonly labels: LabelsOf<T, Label>;
  /** All training that the model has seen; verbs append. */
  history: readonly TrainingLog[];
  /**
   * Frees the head, and the base where no other model shares it. Verbs that run on the model reject with `DISPOSED`, and it is freed
   * when they have ended. A second call does nothing.
   */
  dispose(): void;
}

/** A model with one head or with several. */
export type AnyModel = TransferModel<TaskName | Tasks>;
