// Predictions for raw inputs. Types only.
import type { Tasks } from './model.ts';
import type { PredictionOf, TaskName } from './tasks/tasks.ts';

/** Options of the method `predict` of the classifiers by `knn` and `nearestCentroid`. The verb `predict` has more. */
export interface RankingOptions {
  /** Number of labels to return, the most probable first; for several heads, of each. Default: all labels. */
  readonly topK?: number;
  /** Batch size. Default 32. */
  readonly batchSize?: number;
}

/** Prediction for one input: a list, or a record of lists by the names of several heads. */
export type Prediction<T extends TaskName | Tasks, Label extends string = string> = [T] extends [TaskName]
  ? Named<PredictionOf<T>, Label>[]
  : { readonly [Name in keyof T]: T[Name] extends TaskName ? PredictionOf<T[Name]>[] : never };

/**
 * Predictions for an argument of `predict`: a list of inputs gives a list of predictions, a list of numbers is one
 * input.
 */
export type Predicted<
  T extends TaskName | Tasks,
  Input,
  Label extends string = string,
> = Input extends readonly number[]
  ? Prediction<T, Label>
  : Input extends readonly unknown[]
    ? Prediction<T, Label>[]
    : Prediction<T, Label>;

/** A prediction with the type of its label (for a regression of its output) narrowed to those of the model. */
type Named<One, Label extends string> = string extends Label
  ? One
  : { readonly [Key in keyof One]: Key extends 'label' | 'output' ? Label : One[Key] };
