// What a loss is.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { TaskName } from '../model/tasks/tasks.ts';

/** What training makes small. */
export interface Loss {
  readonly name: string;
  /** What it was made with, as plain data: a run is resumed with the same only. */
  readonly settings?: Readonly<Record<string, number>>;
  /** Tasks that it is made for. Default: all. */
  readonly tasks?: readonly TaskName[];
  /**
   * Loss of each example, [b], by tfjs operations that have gradients.
   *
   * @param logits - [b, units]: what the head gives, before softmax or sigmoid; for regression the values.
   * @param targets - [b, units]: shares that sum to 1 (`classes`), 0 … 1 each (`binary`, one unit; `multiLabel`; `ordinal`, the shares beyond each label
   * but the last), or numbers.
   */
  losses(logits: Tensor, targets: Tensor, task: TaskName): Tensor;
}
