// The table of tasks. A task is a file of this folder and a row here.
import { hasKey, keysOf } from '../../core/names.ts';
import { binary } from './binary.ts';
import { classes } from './classes.ts';
import { multiLabel } from './multiLabel.ts';
import { ordinal } from './ordinal.ts';
import { regression } from './regression.ts';
import type { ActivationEnd, Task } from './task.ts';

/** The tasks by name. If several tasks fit a network's activation, the first one in the table is chosen. */
export const tasks = { classes, binary, multiLabel, ordinal, regression } as const satisfies Readonly<
  Record<string, Task>
>;

/**
 * Prediction of a head, by task name: one of several labels (`classes`), one of two labels by one logit (`binary`), any
 * number of labels (`multiLabel`), one of several ordered labels (`ordinal`), or numbers (`regression`).
 */
export type TaskName = keyof typeof tasks;

/** Tasks that predict numbers. They have outputs instead of labels. */
export type ValueTask = {
  readonly [Name in TaskName]: (typeof tasks)[Name]['labelled'] extends undefined ? Name : never;
}[TaskName];

/** Tasks whose probabilities `calibrate` accepts. */
export type CalibratedTask = {
  readonly [Name in TaskName]: (typeof tasks)[Name]['temperature'] extends string ? never : Name;
}[TaskName];

/** Tasks whose labels have thresholds. */
export type ThresholdTask = {
  readonly [Name in TaskName]: (typeof tasks)[Name]['thresholds'] extends string ? never : Name;
}[TaskName];

/** Figures of a task, in addition to its loss. */
export type FiguresOf<Name extends TaskName> = ReturnType<(typeof tasks)[Name]['figures']>;

/** One element of the list that `predict` returns for a task. */
export type PredictionOf<Name extends TaskName> = ReturnType<(typeof tasks)[Name]['predictions']>[number];

/**
 * Losses by name.
 * - For labels: `crossEntropy` (default), `focal` (see `focalLoss`) and `hinge` (for `classes` that of Crammer and
 * Singer).
 * - For regression: `meanSquaredError` (default), `meanAbsoluteError` and `huber` (see `huberLoss`).
 */
export type LossName = (typeof tasks)[TaskName]['losses'][number];

/** All names, in the order of the table. */
export const taskNames: readonly TaskName[] = keysOf(tasks);

/** The tasks that a loss can be used for. */
export function tasksTaking(loss: LossName): TaskName[] {
  return taskNames.filter((name) => taskOf(name).losses.includes(loss));
}

/** Whether a text is the name of a task. */
export function isTaskName(name: unknown): name is TaskName {
  return hasKey(tasks, name);
}

/** The first task that fits a network with this end. Undefined if no task fits. */
export function taskEndingIn(end: ActivationEnd): TaskName | undefined {
  return taskNames.find((name) => tasks[name].endsIn(end));
}

/** The value of a task, typed as a general task. */
function taskOf(name: TaskName): Task {
  return tasks[name];
}

/** The names of tasks with a property, as error texts list them: `'classes', 'binary' or 'multiLabel'`. */
export function listTasks(is: (task: Task) => boolean): string {
  const names = taskNames.filter((name) => is(taskOf(name))).map((name) => `'${name}'`);
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
