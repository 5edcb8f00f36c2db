// A task as it is written in code, for texts.
import { TransferKitError } from '../core/errors.ts';
import type { Tasks } from './model.ts';
import type { TaskName } from './tasks/tasks.ts';

/** A task as code; heads in alphabetical order, so that equal tasks give equal texts. */
export function describeTask(task: TaskName | Tasks): string {
  if (typeof task !== 'object') return `'${task}'`;
  const heads = Object.keys(task).sort();
  return `{ ${heads.map((name) => `${JSON.stringify(name)}: '${task[name] ?? ''}'`).join(', ')} }`;
}

/** The error about a model of another task than the expected one. */
export function otherTask(saved: TaskName | Tasks, expected: TaskName | Tasks): TransferKitError {
  const text = `expected a model of task ${describeTask(expected)}, got ${describeTask(saved)}. Leave the option task out, or give ${describeTask(saved)}.`;
  return new TransferKitError('INVALID_OPTION', text, { saved, expected });
}
