// Looks up names in tables, and finds the nearest known names for error texts.

/** Of longer names only the beginning is compared. */
const longest = 100;

/** Returns up to `most` known names, ordered by their edit distance to `name`. Untyped programs may pass anything. */
export function nearestNames(name: unknown, known: Iterable<string>, most = 10): string[] {
  return ranked(name, known)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** Returns the one known name that is clearly meant by a misspelt one, or else the three nearest. */
export function closestNames(name: string, known: Iterable<string>): string[] {
  const nearest = ranked(name, known).slice(0, 3);
  const [first] = nearest;
  const isNear = first !== undefined && first.distance <= Math.max(2, Math.min(name.length, longest) / 3);
  return (isNear ? [first] : nearest).map(({ candidate }) => candidate);
}

function ranked(name: unknown, known: Iterable<string>): { readonly candidate: string; readonly distance: number }[] {
  const start = String(name).slice(0, longest).toLowerCase();
  return [...known]
    .map((candidate) => ({ candidate, distance: editDistance(start, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
}

/** Returns whether a table has a row of this name. Untyped programs may pass anything. */
export function hasKey<Table extends object>(table: Table, name: unknown): name is keyof Table & string {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** Returns the names of a table's rows, in their order. */
export function keysOf<Table extends object>(table: Table): (keyof Table & string)[] {
  return Object.keys(table).filter((name) => hasKey(table, name));
}

/** `'a', 'b', 'c'` */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

/** Levenshtein distance: number of insertions, deletions and replacements between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
