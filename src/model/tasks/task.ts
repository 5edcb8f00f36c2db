// What a task is: everything that the rest of the library asks about it. Types only.
import type { Target, Unreadable } from '../../core/types.ts';
import type { RowLoss } from './rowLosses.ts';

/** What turns the logits of a head into the outputs of a saved model. */
export interface Activation {
  /** Its name in a Keras layer. */
  readonly layer: 'softmax' | 'sigmoid' | 'linear';
  /** Its operation in a GraphModel. */
  readonly op: 'Softmax' | 'Sigmoid' | 'Identity';
  /** What it gives; the name of the output of a head without a name. */
  readonly output: 'probabilities' | 'values';
}

/** How a network ends in an activation. */
export interface ActivationEnd {
  readonly activation: Activation;
  /** Undefined where they are not known. */
  readonly units: number | undefined;
}

/** A target to encode, and the head that it is for. */
export interface TargetQuestion {
  /** What error texts begin with. */
  readonly verb: string;
  /** The labels or outputs of the head. */
  readonly labels: readonly string[];
  readonly target: Target;
  /** The example, for error texts. */
  readonly id: string;
}

/** A head as decisions see it: its labels, and the thresholds of its logits (see `HeadPart`). */
export interface Decider {
  readonly labels: readonly string[];
  readonly thresholds?: readonly number[] | undefined;
}

/** What a head said about one example. */
export interface Answered {
  readonly id: string;
  /** [units] */
  readonly logits: Float32Array;
  /** [units] */
  readonly target: Float32Array;
  readonly loss: number;
}

/** A label and how probable it is, 0 … 1. */
export interface LabelPrediction {
  readonly label: string;
  readonly probability: number;
  /**
   * Whether the model decides for the label: at one half or at its tuned threshold (`multiLabel`, `binary`), or as the median of
   * the labels (`ordinal`). Of `classes` the first is decided for, and this is missing.
   */
  readonly chosen?: boolean;
}

/** An output of a regression and its value. */
export interface ValuePrediction {
  readonly output: string;
  readonly value: number;
}

/** Shares of right predictions of classifiers that were not trained, on the features of the base as it is. */
export interface Baselines {
  /** Those of `knn` with its defaults; `k` is how many voted. */
  readonly knn: { readonly accuracy: number; readonly k: number };
  /** That of `nearestCentroid` with its defaults. */
  readonly nearestCentroid: { readonly accuracy: number };
  /** That of always saying the label with most examples; of equals the first. */
  readonly mostFrequent: { readonly accuracy: number; readonly label: string };
  /** Examples that they learnt from. */
  readonly examples: number;
  /** Examples left out of these because they could not be read. */
  readonly skipped: readonly Unreadable[];
}

/** What an evaluation is asked for. */
export interface Wanted {
  /** Share of right decisions; NaN where there is none. */
  readonly accuracy: number;
  /** The k of `topKAccuracy`. */
  readonly topK: number;
  /** How many mistakes to list. */
  readonly worst: number;
  readonly baselines: Baselines | undefined;
}

/** What holds for a task whose examples have exactly one label each. */
export interface OneLabel {
  /** Index of the label of an encoded target; of shares the label that they speak for. */
  labelOf(target: ArrayLike<number>): number;
  /** Index of the label that is decided for. */
  decide(logits: Float32Array, thresholds?: readonly number[]): number;
}

/** What holds for a task with labels, not numbers. */
export interface LabelRules {
  /** How many labels a head may have. */
  readonly count: { readonly text: string; isRight(length: number): boolean };
  /** Undefined where an example may have several labels, or none. */
  readonly one: OneLabel | undefined;
  /** Share of each label in an encoded target, [labels]. */
  shares(target: Float32Array): ArrayLike<number>;
  /**
   * What `labelSmoothing` adds to the targets of each unit, [units], where they are multiplied by `1 - smoothing`.
   *
   * @param smoothing - 0 … below 1.
   */
  spread(smoothing: number, units: number): number[];
  /** Loss of always giving the frequencies of the labels: of the task's default loss. */
  chanceLoss(shares: readonly number[]): number;
}

/** A decision, and how probable it was said to be. */
export interface Decision {
  readonly confidence: number;
  readonly isRight: boolean;
}

/** How one temperature acts on the probabilities of a task. */
export interface TemperatureRules {
  /** The number of losses of one example, by which the sum of `rowLoss` is divided. */
  losses(units: number): number;
  /** By how much the logits of the most probable answer are above those of the true one. */
  regret(logits: Float32Array, target: Float32Array): number;
  decisions(logits: Float32Array, target: Float32Array): Decision[];
}

/** A task: how targets become numbers, how logits become answers, and how both are compared. */
export interface Task<Name extends string = string> {
  /** What `replaceHead` calls it, and what is saved. */
  readonly name: Name;
  /** Names of the losses that it can be trained with, the default first. */
  readonly losses: readonly [string, ...string[]];
  /** The convex loss that the linear solver makes small, of one row. */
  readonly rowLoss: RowLoss;
  /** Whether the linear solver standardises targets. */
  readonly scalesTargets: boolean;
  readonly activation: Activation;
  /** How many labels belong to how many logits, for error texts about damaged files. */
  readonly unitsText: string;
  /** Number of logits of a head with so many labels or outputs. */
  units(labels: number): number;
  /** Number of labels or outputs of a head with so many logits. */
  labelsOf(units: number): number;
  /** Whether a network that ends so may be of the task. */
  endsIn(end: ActivationEnd): boolean;
  /**
   * One example's target as values for the loss, [units].
   *
   * @throws TransferKitError See `encodeTarget`.
   */
  encode(question: TargetQuestion): Float32Array;
  /** Probabilities of the labels, or the numbers themselves, [labels]. */
  outputs(logits: Float32Array): number[];
  /** Share of right decisions, or undefined where there is none to be right about. */
  correct(logits: Float32Array, target: Float32Array, thresholds?: readonly number[]): number | undefined;
  /** What `predict` gives for one example: labels, the `topK` most probable first, or all numbers. */
  predictions(head: Decider, logits: Float32Array, topK: number): readonly (LabelPrediction | ValuePrediction)[];
  /** What `evaluate` gives beside the loss. Its `task` is the task's name. */
  figures(head: Decider, answers: readonly Answered[], wanted: Wanted): object;
  /** Undefined for a task of numbers. */
  readonly labelled: LabelRules | undefined;
  /** The labels that have thresholds, one for each logit; or why there are none. */
  readonly thresholds: ((labels: readonly string[]) => readonly string[]) | string;
  /** How probabilities are calibrated; or why they are not. */
  readonly temperature: TemperatureRules | string;
}
