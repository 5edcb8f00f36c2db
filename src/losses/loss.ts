// The interface of a loss.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { TaskName } from '../model/tasks/tasks.ts';

/** A function that training minimises. */
export interface Loss {
  readonly name: string;
  /** Its settings as plain data. A run can only be resumed with a loss that has the same settings. */
  readonly settings?: Readonly<Record<string, number>>;
  /** Tasks that the loss is for. Default: all. */
  readonly tasks?: readonly TaskName[];
  /**
   * Loss of each example, [b], computed with tfjs operations that have gradients.
   *
   * @param logits - [b, units]: output of the head before softmax or sigmoid; for regression the predicted values.
   * @param targets - [b, units]: shares that sum to 1 (`classes`), 0 … 1 each (`binary` with one unit; `multiLabel`;
   * `ordinal`: the share beyond each label but the last), or numbers (`regression`).
   */
  losses(logits: Tensor, targets: Tensor, task: TaskName): Tensor;
}
