// A task as it is written in code, for texts.
import type { Tasks } from './model.ts';
import type { TaskName } from './tasks/tasks.ts';

/** A task as code; heads in alphabetical order, so that equal tasks give equal texts. */
export function describeTask(task: TaskName | Tasks): string {
  if (typeof task !== 'object') return `'${task}'`;
  const heads = Object.keys(task).sort();
  return `{ ${heads.map((name) => `${JSON.stringify(name)}: '${task[name] ?? ''}'`).join(', ')} }`;
}
