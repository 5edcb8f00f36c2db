// The table of tasks. A task is a file of this folder and a row here.
import { hasKey, keysOf } from '../../core/names.ts';
import { binary } from './binary.ts';
import { classes } from './classes.ts';
import { multiLabel } from './multiLabel.ts';
import { ordinal } from './ordinal.ts';
import { regression } from './regression.ts';
import type { ActivationEnd, Task } from './task.ts';

/** The tasks by name. A network whose activation several could end in is of the first that can. */
export const tasks = { classes, binary, multiLabel, ordinal, regression } as const satisfies Readonly<
  Record<string, Task>
>;

/**
 * What a head predicts, by name: one of the labels, one of two labels by one logit, any of the labels, one of several
 * labels that have an order, or numbers.
 */
export type TaskName = keyof typeof tasks;

/** Tasks of numbers: they have outputs instead of labels. */
export type ValueTask = {
  readonly [Name in TaskName]: (typeof tasks)[Name]['labelled'] extends undefined ? Name : never;
}[TaskName];

/** Tasks whose probabilities `calibrate` takes. */
export type CalibratedTask = {
  readonly [Name in TaskName]: (typeof tasks)[Name]['temperature'] extends string ? never : Name;
}[TaskName];

/** Tasks whose labels have thresholds. */
export type ThresholdTask = {
  readonly [Name in TaskName]: (typeof tasks)[Name]['thresholds'] extends string ? never : Name;
}[TaskName];

/** Figures of a task, beside its loss. */
export type FiguresOf<Name extends TaskName> = ReturnType<(typeof tasks)[Name]['figures']>;

/** One of the things that `predict` gives for a task. */
export type PredictionOf<Name extends TaskName> = ReturnType<(typeof tasks)[Name]['predictions']>[number];

/**
 * Losses by name. For labels: `crossEntropy` (the default), `focal` (see `focalLoss`), `hinge` (of several classes Crammer
 * and Singer's). For regression: `meanSquaredError` (the default), `meanAbsoluteError`, `huber` (see `huberLoss`).
 */
export type LossName = (typeof tasks)[TaskName]['losses'][number];

/** All names, in the order of the table. */
export const taskNames: readonly TaskName[] = keysOf(tasks);

/** The tasks that can be trained with a loss. */
export function tasksTaking(loss: LossName): TaskName[] {
  return taskNames.filter((name) => taskOf(name).losses.includes(loss));
}

/** Whether a text is the name of a task. */
export function isTaskName(name: unknown): name is TaskName {
  return hasKey(tasks, name);
}

/** The first task that a network with such an end may be of; undefined without a task that takes it. */
export function taskEndingIn(end: ActivationEnd): TaskName | undefined {
  return taskNames.find((name) => tasks[name].endsIn(end));
}

/** The value of a task, as the type that all have. */
export function taskOf(name: TaskName): Task {
  return tasks[name];
}

/** The names of tasks with some property, as error texts list them: `'classes', 'binary' or 'multiLabel'`. */
export function listTasks(is: (task: Task) => boolean): string {
  const names = taskNames.filter((name) => is(taskOf(name))).map((name) => `'${name}'`);
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
