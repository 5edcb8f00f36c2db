// The table of tasks. A task is a file of this folder and a row here.
import { binary } from './binary.ts';
import { classes } from './classes.ts';
import { multiLabel } from './multiLabel.ts';
import { regression } from './regression.ts';
import type { ActivationEnd, Task, TemperatureRules } from './task.ts';

/** The tasks by name. A network whose activation several could end in is of the first that can. */
export const tasks = { classes, binary, multiLabel, regression } as const;

/** What a head predicts, by name: one of the labels, one of two labels by one logit, any of the labels, or numbers. */
export type TaskName = keyof typeof tasks;

/** The value of a task. */
type TaskOf<Name extends TaskName> = (typeof tasks)[Name];

/** Tasks by name whose value is of a type. */
type TasksWith<Members> = {
  readonly [Name in TaskName]: TaskOf<Name> extends Members ? Name : never;
}[TaskName];

/** Tasks whose probabilities `calibrate` takes. */
export type CalibratedTask = TasksWith<{ readonly temperature: TemperatureRules }>;

/** Tasks whose labels have thresholds. */
export type ThresholdTask = TasksWith<{ readonly thresholds: (labels: readonly string[]) => readonly string[] }>;

/** Figures of a task, beside its loss. */
export type FiguresOf<Name extends TaskName> = ReturnType<TaskOf<Name>['figures']>;

/** One of the things that `predict` gives for a task. */
export type PredictionOf<Name extends TaskName> = ReturnType<TaskOf<Name>['predictions']>[number];

/** A loss that some task can be trained with. */
export type TaskLoss = TaskOf<TaskName>['losses'][number];

/** All names, in the order of the table. */
export const taskNames: readonly TaskName[] = Object.values(tasks).map(({ name }) => name);

/** The tasks that can be trained with a loss. */
export function tasksTaking(loss: TaskLoss): TaskName[] {
  return taskNames.filter((name) => taskOf(name).losses.includes(loss));
}

/** Whether a text is the name of a task. */
export function isTaskName(name: unknown): name is TaskName {
  return taskNames.some((each) => each === name);
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
