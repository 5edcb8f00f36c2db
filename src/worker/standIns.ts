// The stand-ins that a page has for values of its worker. Types only.
import type { TrainingLog } from '../core/logs.ts';
import type { Samples } from '../core/types.ts';
import type { AnyModel, Base, LabelsOf, Tasks, TransferModel, WeightsReport } from '../model/model.ts';
import type { Predicted, RankingOptions } from '../model/predictions.ts';
import type { TaskName } from '../model/tasks/tasks.ts';
import type { AddedExamples, AddOptions } from '../neighbours/addSamples.ts';
import type { ExampleClassifier } from '../neighbours/exampleClassifier.ts';
import type { ExampleSet } from '../neighbours/exampleSet.ts';

/** A base in a worker. */
export interface RemoteBase extends Disposable {
  readonly name: string;
  readonly cut: string;
  readonly notes: readonly string[];
  readonly weightsReport?: WeightsReport;
  /** Returns the table of `Base.summary`. */
  summary(): Promise<string>;
  /** Frees the base in the worker. Calls with it that have no result yet, and later ones, reject with `DISPOSED`. */
  dispose(): void;
}

/** A model in a worker. `history` and `trained` are those of the end of the last call with it. */
export interface RemoteModel<
  T extends TaskName | Tasks = TaskName | Tasks,
  Label extends string = string,
> extends Disposable {
  readonly task: T;
  readonly labels: LabelsOf<T, Label>;
  readonly base: RemoteBase;
  /** Logs of all training of the model. */
  readonly history: readonly TrainingLog[];
  /** Whether training has changed the weights of the head at least once. */
  readonly trained: boolean;
  /** Frees the model in the worker. Calls with it that have no result yet, and later ones, reject with `DISPOSED`. */
  dispose(): void;
}

/** A model whose task is known only when it is loaded: compare its `task`. */
export type RemoteLoadedModel = { [T in TaskName]: RemoteModel<T> }[TaskName] | RemoteModel<Tasks>;

/** A classifier by `knn` or `nearestCentroid` in a worker. Its fields are those of the end of the last call with it. */
export interface RemoteClassifier
  extends Pick<ExampleClassifier, 'labels' | 'classCounts' | 'size' | 'examples'>, Disposable {
  readonly base: RemoteBase;
  /** As `ExampleClassifier.add`. */
  add(input: unknown, label: string): Promise<number>;
  /** As `ExampleClassifier.addAll`. */
  addAll(samples: Samples, options?: AddOptions): Promise<AddedExamples>;
  /** As `ExampleClassifier.remove`. */
  remove(id: number): Promise<void>;
  /** As `ExampleClassifier.predict`. */
  predict<Input>(input: Input, options?: RankingOptions): Promise<Predicted<'classes', Input>>;
  /** As `ExampleClassifier.toJSON`. */
  toJSON(): Promise<ExampleSet>;
  /** Frees the classifier in the worker; its base stays. */
  dispose(): void;
}

/** What a page gives where the worker's function takes a value: stand-ins for models, bases and classifiers. */
export type Given<Value> = Value extends AnyModel
  ? RemoteModel<Value['task']>
  : Value extends Base
    ? RemoteBase
    : Value extends ExampleClassifier
      ? RemoteClassifier
      : Value;

/** What a page gets where the worker's function returns a value. */
export type Received<Value> =
  Value extends TransferModel<infer T, infer Label>
    ? RemoteModel<T, Label>
    : Value extends Base
      ? RemoteBase
      : Value extends ExampleClassifier
        ? RemoteClassifier
        : Value;

/** A function of the worker, as the page calls it. */
export type Remote<Call> = Call extends (...args: infer Args) => infer Result
  ? (...args: { [Index in keyof Args]: Given<Args[Index]> }) => Promise<Received<Awaited<Result>>>
  : never;
