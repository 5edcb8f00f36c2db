// What is predicted for raw inputs. Types only.
import type { Tasks } from './model.ts';
import type { PredictionOf, TaskName } from './tasks/tasks.ts';

/** Options of `predict`, and of the method of that name of the classifiers by `knn` and `nearestCentroid`. */
export interface PredictOptions {
  /** How many labels to give, the most probable first; of several heads by each. Default all of them. */
  readonly topK?: number;
  /** Inputs run at once. Default 32. */
  readonly batchSize?: number;
}

/** What `predict` gives for one input: a list, or one for each of several heads by name. */
export type Prediction<T extends TaskName | Tasks, Label extends string = string> = [T] extends [TaskName]
  ? Named<PredictionOf<T>, Label>[]
  : { readonly [Name in keyof T]: T[Name] extends TaskName ? PredictionOf<T[Name]>[] : never };

/** A list of inputs gives a list of predictions; a list of numbers is one input. */
export type Predicted<
  T extends TaskName | Tasks,
  Input,
  Label extends string = string,
> = Input extends readonly number[]
  ? Prediction<T, Label>
  : Input extends readonly unknown[]
    ? Prediction<T, Label>[]
    : Prediction<T, Label>;

/** A prediction whose label, or whose output of a regression, is one of the model's. */
type Named<One, Label extends string> = string extends Label
  ? One
  : { readonly [Key in keyof One]: Key extends 'label' | 'output' ? Label : One[Key] };
