// Validates the names and the number of a head's outputs.
import { TransferKitError } from '../core/errors.ts';
import { ofHead, unitsOf } from '../model/headParts.ts';
import { isTaskName, taskNames, tasks, type TaskName } from '../model/tasks/tasks.ts';
import type { LabelRules } from '../model/tasks/task.ts';
import { shown } from '../core/shown.ts';

/** Task and outputs of a head, as the user gives them. */
export interface Question {
  readonly task?: TaskName;
  readonly labels?: readonly string[];
  readonly outputs?: number | readonly string[];
}

/** Task and outputs of a head, validated. */
export interface Answer {
  /** Name of a head of several; '' for a single head. */
  readonly name: string;
  readonly task: TaskName;
  readonly labels: readonly string[];
  /** Number of logits. */
  readonly units: number;
}

/**
 * The labels of a head and the number of its logits.
 *
 * @throws TransferKitError `INVALID_OPTION`, `TOO_FEW_CLASSES`.
 */
export function nameOutputs(name: string, { task = 'classes', labels, outputs }: Question): Answer {
  const fail = (expected: string, received: unknown) => invalid(`${expected}${ofHead(name)}`, received);
  if (!isTaskName(task)) throw fail(`task to be one of ${taskNames.join(', ')}`, task);
  const { labelled } = tasks[task];
  if (labelled === undefined) {
    if (labels !== undefined) throw fail(`outputs instead of labels for ${task}`, labels);
    const names = typeof outputs === 'object' ? outputs : numbered(outputs ?? 1, fail);
    assertNames(names, fail);
    if (names.length === 0) throw fail('at least one output', names);
    return { name, task, labels: [...names], units: names.length };
  }
  if (outputs !== undefined) throw fail(`labels instead of outputs for task '${task}'`, outputs);
  if (labels === undefined) throw fail("labels, such as { labels: ['cat', 'dog'] }", labels);
  assertNames(labels, fail);
  assertEnough(name, task, labels, labelled.count);
  return { name, task, labels: [...labels], units: unitsOf({ task, labels }) };
}

type Fail = (expected: string, received: unknown) => TransferKitError;

function numbered(outputs: number, fail: Fail): string[] {
  if (!Number.isInteger(outputs) || outputs < 1) throw fail('outputs to be a whole number above 0', outputs);
  return Array.from({ length: outputs }, (_, index) => (outputs === 1 ? 'output' : `output ${String(index + 1)}`));
}

function assertNames(names: readonly string[], fail: Fail): void {
  const given: unknown = names;
  if (!Array.isArray(given)) throw fail('a list of names', given);
  if (!names.every((name) => typeof name === 'string' && name !== '')) throw fail('names that are not empty', names);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw fail('names that differ', `'${twice}' twice`);
}

function assertEnough(name: string, task: TaskName, labels: readonly string[], count: LabelRules['count']): void {
  const { length } = labels;
  if (count.isRight(length)) return;
  throw new TransferKitError(
    'TOO_FEW_CLASSES',
    `expected ${count.text} labels for task '${task}'${ofHead(name)}, got ${String(length)} (${labels.join(', ') || 'none'}). ` +
      'A classifier needs something to tell apart: add examples of another class.',
    { task, labels },
  );
}

function invalid(expected: string, received: unknown): TransferKitError {
  const got = received === undefined ? 'nothing' : typeof received === 'string' ? received : shown(received);
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${got}.`, { received });
}
