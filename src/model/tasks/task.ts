// The interface of a task: everything that the other rooms need from it. Types only.
import type { Target, Unreadable } from '../../core/types.ts';
import type { RowLoss } from './rowLosses.ts';

/** The activation that turns the logits of a head into the outputs of a saved model. */
export interface Activation {
  /** Its name in Keras layers. */
  readonly layer: 'softmax' | 'sigmoid' | 'linear';
  /** Its operation in a GraphModel. */
  readonly op: 'Softmax' | 'Sigmoid' | 'Identity';
  /** Kind of its output. It names the output of a head without a name. */
  readonly output: 'probabilities' | 'values';
  /**
   * Returns logits that stand for the mean of several runs: their activation is the mean of the runs' activations.
   *
   * @param runs - Logits of one example, [runs][units].
   */
  ofMean(runs: readonly Float32Array[]): number[];
}

/** The end of a network, described by its last activation. */
export interface ActivationEnd {
  readonly activation: Activation;
  /** Undefined if unknown. */
  readonly units: number | undefined;
}

/** A target to encode, and its head. */
export interface TargetQuestion {
  /** Labels of the head; for a regression names of its outputs. */
  readonly labels: readonly string[];
  readonly target: Target;
  /** Id of the example, for error texts. */
  readonly id: string;
}

/** Facts about a head that decisions need: its labels, and the thresholds of its logits (see `HeadPart`). */
export interface Decider {
  readonly labels: readonly string[];
  readonly thresholds?: readonly number[] | undefined;
}

/** Output and target of one example. */
export interface Answered {
  readonly id: string;
  /** [units] */
  readonly logits: Float32Array;
  /** [units] */
  readonly target: Float32Array;
  readonly loss: number;
}

/** A label and its probability, 0 … 1. */
export interface LabelPrediction {
  readonly label: string;
  readonly probability: number;
  /**
   * Whether the model decides for the label.
   * - `multiLabel`, `binary`: its probability is above one half, or above its tuned threshold.
   * - `ordinal`: it is the median of the labels.
   * - `classes`: missing; the first label is the decision.
   */
  readonly chosen?: boolean;
}

/** An output of a regression and its value. */
export interface ValuePrediction {
  readonly output: string;
  readonly value: number;
}

/** Shares of right predictions of simple classifiers, on the features of the unchanged base. */
export interface Baselines {
  /** Accuracy of `knn` with its defaults. `k` is the number of neighbours that voted. */
  readonly knn: { readonly accuracy: number; readonly k: number };
  /** Accuracy of `nearestCentroid` with its defaults. */
  readonly nearestCentroid: { readonly accuracy: number };
  /** Accuracy of always predicting the most frequent label (the first one of equally frequent labels). */
  readonly mostFrequent: { readonly accuracy: number; readonly label: string };
  /** Number of examples that the baselines learnt from. */
  readonly examples: number;
  /** Number of examples that were left out because they could not be read. */
  readonly skipped: readonly Unreadable[];
}

/** Settings of an evaluation. */
export interface Wanted {
  /** Share of right decisions. NaN if the task has none. */
  readonly accuracy: number;
  /** The k of `topKAccuracy`. */
  readonly topK: number;
  /** Number of mistakes to list. */
  readonly worst: number;
  readonly baselines: Baselines | undefined;
}

/** Rules of a task whose examples have exactly one label each. */
export interface OneLabel {
  /** Index of the label of an encoded target. For shares it is the label with the largest share. */
  labelOf(target: ArrayLike<number>): number;
  /** Index of the predicted label. */
  decide(logits: Float32Array, thresholds?: readonly number[]): number;
}

/** Rules of a task with labels. */
export interface LabelRules {
  /** The number of labels that a head may have. */
  readonly count: { readonly text: string; isRight(length: number): boolean };
  /** Undefined if an example may have several labels, or none. */
  readonly one: OneLabel | undefined;
  /** Share of each label in an encoded target, [labels]. */
  shares(target: Float32Array): ArrayLike<number>;
  /**
   * Summand of `labelSmoothing` for the targets of each unit, [units], which are multiplied by `1 - smoothing`.
   *
   * @param smoothing - From 0 to below 1.
   */
  spread(smoothing: number, units: number): number[];
  /** Default loss of a model that always predicts the frequencies of the labels. */
  chanceLoss(shares: readonly number[]): number;
}

/** A decision and its probability. */
export interface Decision {
  readonly confidence: number;
  readonly isRight: boolean;
}

/** Effect of one temperature on the probabilities of a task. */
export interface TemperatureRules {
  /** Number of losses of one example. The sum of `rowLoss` is divided by it. */
  losses(units: number): number;
  /** Difference between the logits of the most probable answer and those of the true one. */
  regret(logits: Float32Array, target: Float32Array): number;
  decisions(logits: Float32Array, target: Float32Array): Decision[];
}

/** A task: encodes targets, turns logits into answers, and compares the two. */
export interface Task<Name extends string = string> {
  /** The name in `replaceHead` and in saved models. */
  readonly name: Name;
  /** Names of the losses that the task supports, the default first. */
  readonly losses: readonly [string, ...string[]];
  /** The convex loss of one row, which the linear solver minimises. */
  readonly rowLoss: RowLoss;
  /** Whether the linear solver standardises targets. */
  readonly scalesTargets: boolean;
  readonly activation: Activation;
  /** Relation between the numbers of labels and logits, for error texts about damaged files. */
  readonly unitsText: string;
  /** Number of logits of a head with this number of labels or outputs. */
  units(labels: number): number;
  /** Number of labels or outputs of a head with this number of logits. */
  labelsOf(units: number): number;
  /** Whether a network with this end may be of the task. */
  endsIn(end: ActivationEnd): boolean;
  /**
   * One example's target as values for the loss, [units].
   *
   * @throws TransferKitError See `encodeTarget`.
   */
  encode(question: TargetQuestion): Float32Array;
  /** Probabilities of the labels, or for a regression the numbers, [labels]. */
  outputs(logits: Float32Array): number[];
  /** Share of right decisions. Undefined for a task without decisions. */
  correct(logits: Float32Array, target: Float32Array, thresholds?: readonly number[]): number | undefined;
  /** Result of `predict` for one example: the `topK` most probable labels in falling order, or all numbers. */
  predictions(head: Decider, logits: Float32Array, topK: number): readonly (LabelPrediction | ValuePrediction)[];
  /** Result of `evaluate` apart from the loss. Its `task` is the task's name. */
  figures(head: Decider, answers: readonly Answered[], wanted: Wanted): object;
  /** Undefined for a task without labels. */
  readonly labelled: LabelRules | undefined;
  /** The labels that have thresholds, one for each logit; or the reason why there are none. */
  readonly thresholds: ((labels: readonly string[]) => readonly string[]) | string;
  /** How probabilities are calibrated; or the reason why they are not. */
  readonly temperature: TemperatureRules | string;
}
