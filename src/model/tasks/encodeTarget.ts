// Targets of single examples as the head's loss takes them.
import type { Target } from '../../core/types.ts';
import { tasks, type TaskName } from './tasks.ts';

/** What targets have to answer: a task and its labels. Every head is one. */
export interface Question {
  readonly task: TaskName;
  readonly labels: readonly string[];
}

/**
 * One example's target as values for the loss. `classes`: one-hot of a label or of its index, or shares of the labels that
 * sum to 1. `binary`: the share of the second label, from a label, its share 0 … 1, or both shares. `multiLabel`: 0 … 1 for
 * each label, from a list of labels or of numbers. `ordinal`: from what `classes` takes, for each label but the last the share
 * of the labels beyond it. `regression`: the numbers.
 *
 * @throws TransferKitError `UNKNOWN_LABEL`; `OUT_OF_RANGE` for numbers outside the labels' range; `INVALID_OPTION` for shares
 * that do not sum to 1 and when the kind of target does not fit the task; `NOT_FINITE` for numbers of a regression.
 */
export function encodeTarget(verb: string, { task, labels }: Question, target: Target, id: string): Float32Array {
  return tasks[task].encode({ verb, labels, target, id });
}
