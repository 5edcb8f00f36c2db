// Encodes the target of a single example for the loss of a head.
import type { Target } from '../../core/types.ts';
import { tasks, type TaskName } from './tasks.ts';

/** The task and the labels that targets are encoded for. Every head has them. */
export interface Question {
  readonly task: TaskName;
  readonly labels: readonly string[];
}

/**
 * Encodes one example's target as values for the loss.
 * - `classes`: one-hot of a label or of its index, or shares of the labels that sum to 1.
 * - `binary`: the share of the second label, from a label, its share 0 … 1, or both shares.
 * - `multiLabel`: 0 … 1 for each label, from a list of labels or of numbers.
 * - `ordinal`: for each label but the last the share of the labels beyond it, from a target as for `classes`.
 * - `regression`: the numbers.
 *
 * @throws TransferKitError `UNKNOWN_LABEL`; `OUT_OF_RANGE` for numbers outside the labels' range; `INVALID_OPTION` for
 * shares that do not sum to 1 and for a kind of target that does not fit the task; `NOT_FINITE` for numbers of a
 * regression.
 */
export function encodeTarget({ task, labels }: Question, target: Target, id: string): Float32Array {
  return tasks[task].encode({ labels, target, id });
}
