// Divides work that is limited by memory bandwidth into tasks.

/** Intended number of tasks, and the values that make a task worthwhile. */
const mostTasks = 64;
const smallestTask = 1 << 15;

/** A division of work into tasks. */
export interface Share {
  /** Units of work in a task; the last one may have fewer. */
  readonly perTask: number;
  readonly tasks: number;
}

/**
 * Divides work by its size only: sums must not depend on the number of threads.
 *
 * @param units - At least 1.
 * @param unitSize - Number of values of one unit.
 */
export function shareWork(units: number, unitSize: number): Share {
  const perTask = Math.max(Math.ceil(units / mostTasks), Math.ceil(smallestTask / Math.max(unitSize, 1)));
  return { perTask, tasks: Math.ceil(units / perTask) };
}

/** Divides a list of values. */
export function shareValues(size: number): Share {
  const lines = 16;
  const { perTask, tasks } = shareWork(Math.ceil(size / lines), lines);
  return { perTask: perTask * lines, tasks };
}
