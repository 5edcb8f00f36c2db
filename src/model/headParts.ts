// The heads of a model: where each has its logits among those of all, and things that come one for each head.
import type { HeadPart } from './model.ts';
import { tasks } from './tasks/tasks.ts';

/** Puts heads side by side, each with as many logits as it asks for. */
export function layOut(heads: readonly (Pick<HeadPart, 'name' | 'task' | 'labels'> & { units: number })[]): HeadPart[] {
  let from = 0;
  return heads.map(({ name, task, labels, units }) => {
    const part: HeadPart = { name, task, labels, from, to: from + units };
    from = part.to;
    return part;
  });
}

/** Something of each head: by name among several, the thing itself for a head that has no name. */
export function byHead<Value>(
  parts: readonly HeadPart[],
  of: (part: HeadPart) => Value,
): Value | Readonly<Record<string, Value>> {
  const [first] = parts;
  if (first?.name === '') return of(first);
  return Object.fromEntries(parts.map((part) => [part.name, of(part)]));
}

/** Number of logits that a task takes. */
export function unitsOf({ task, labels }: Pick<HeadPart, 'task' | 'labels'>): number {
  return tasks[task].units(labels.length);
}

/** `' of head 'kind''` for a head with a name: the end of a phrase in error texts. */
export function ofHead(name: string): string {
  return name === '' ? '' : ` of head '${name}'`;
}
