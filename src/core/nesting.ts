// How deep JSON from a file may be nested: everything that reads it goes down by calling itself.
import { TransferKitError } from './errors.ts';

/** Levels that a model may have. A network with models inside models ten deep has about 50. */
const mostLevels = 512;

/** Values that are looked at: of JSON that refers to itself, as only a program can make it, there is no end. */
const mostValues = 2 ** 25;

/**
 * Raises when JSON is nested too deep, or has no end.
 *
 * @param what - What it describes and where it came from, for messages.
 * @throws TransferKitError `NOT_A_MODEL`.
 */
export function assertShallow(what: string, json: unknown): void {
  let level: unknown[] = [json];
  let seen = 0;
  for (let depth = 0; level.length > 0; depth++) {
    seen += level.length;
    if (depth > mostLevels || seen > mostValues) throw tooDeep(what, depth);
    level = level.flatMap(membersOf);
  }
}

function membersOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function tooDeep(what: string, depth: number): TransferKitError {
  const [limit, got] =
    depth > mostLevels
      ? [`${String(mostLevels)} levels of nesting`, 'more']
      : [`${String(mostValues)} values`, 'more, or JSON that refers to itself'];
  const text = `expected ${what} to have at most ${limit}, got ${got}. The file is damaged, or made to do harm.`;
  return new TransferKitError('NOT_A_MODEL', text, { mostLevels, mostValues });
}
