// The heads of a model: their columns of the logits, and values that exist once per head.
import type { HeadPart } from './model.ts';
import { tasks } from './tasks/tasks.ts';

/** Arranges heads side by side, each with the number of logits that its task needs. */
export function layOut(heads: readonly (Pick<HeadPart, 'name' | 'task' | 'labels'> & { units: number })[]): HeadPart[] {
  let from = 0;
  return heads.map(({ name, task, labels, units }) => {
    const part: HeadPart = { name, task, labels, from, to: from + units };
    from = part.to;
    return part;
  });
}

/** A value for each head: a record by the names of several heads, the value itself for a single head. */
export function byHead<Value>(
  parts: readonly HeadPart[],
  of: (part: HeadPart) => Value,
): Value | Readonly<Record<string, Value>> {
  const [first] = parts;
  if (first?.name === '') return of(first);
  return Object.fromEntries(parts.map((part) => [part.name, of(part)]));
}

/** Number of logits that a task needs. */
export function unitsOf({ task, labels }: Pick<HeadPart, 'task' | 'labels'>): number {
  return tasks[task].units(labels.length);
}

/** `' of head 'kind''` for a head with a name: the end of a phrase in error texts. */
export function ofHead(name: string): string {
  return name === '' ? '' : ` of head '${name}'`;
}
