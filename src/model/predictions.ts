// What is predicted for raw inputs. Types only.
import type { TaskName, Tasks } from './model.ts';

/** Options of `predict`, and of the method of that name of the classifiers by `knn` and `nearestCentroid`. */
export interface PredictOptions {
  /** How many labels to give, the most probable first; of several heads by each. Default all of them. */
  readonly topK?: number;
  /** Inputs run at once. Default 32. */
  readonly batchSize?: number;
}

/** A label and how probable it is, 0 … 1. */
export interface LabelPrediction {
  readonly label: string;
  readonly probability: number;
  /**
   * Whether the model decides for the label, at one half or at its tuned threshold (`multiLabel`, `binary`). Of `classes` the
   * first is decided for, and this is missing.
   */
  readonly chosen?: boolean;
}

/** An output of a regression and its value. */
export interface ValuePrediction {
  readonly output: string;
  readonly value: number;
}

/** What `predict` gives for a task: a list of these. */
export type PredictionOf<T extends TaskName> = T extends 'regression' ? ValuePrediction : LabelPrediction;

/** What `predict` gives for one input: a list, or one for each of several heads by name. */
export type Prediction<T extends TaskName | Tasks> = [T] extends [TaskName]
  ? PredictionOf<T>[]
  : { readonly [Name in keyof T]: T[Name] extends TaskName ? PredictionOf<T[Name]>[] : never };

/** A list of inputs gives a list of predictions; a list of numbers is one input. */
export type Predicted<T extends TaskName | Tasks, Input> = Input extends readonly number[]
  ? Prediction<T>
  : Input extends readonly unknown[]
    ? Prediction<T>[]
    : Prediction<T>;
