// How work that memory bounds is cut into tasks.

/** Tasks to aim at, and the values that make one worth its while. */
const mostTasks = 64;
const smallestTask = 1 << 15;

/** Work in tasks. */
export interface Share {
  /** Units of work of one task; the last one may have fewer. */
  readonly perTask: number;
  readonly tasks: number;
}

/**
 * Cuts work by its size alone: what is added up must not depend on the number of threads.
 *
 * @param units - At least 1.
 * @param unitSize - Values of one unit.
 */
export function shareWork(units: number, unitSize: number): Share {
  const perTask = Math.max(Math.ceil(units / mostTasks), Math.ceil(smallestTask / Math.max(unitSize, 1)));
  return { perTask, tasks: Math.ceil(units / perTask) };
}

/** Cuts a list of values. */
export function shareValues(size: number): Share {
  const lines = 16;
  const { perTask, tasks } = shareWork(Math.ceil(size / lines), lines);
  return { perTask: perTask * lines, tasks };
}
