// How deep JSON from a file may be nested: everything that reads it goes down by calling itself.
import { TransferKitError } from './errors.ts';
import { exceededBy } from './exceededBy.ts';

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
  const exceeded = exceededBy(json, mostLevels, mostValues);
  if (exceeded !== undefined) throw tooDeep(what, exceeded);
}

function tooDeep(what: string, exceeded: 'levels' | 'values'): TransferKitError {
  const [limit, got] =
    exceeded === 'levels'
      ? [`${String(mostLevels)} levels of nesting`, 'more']
      : [`${String(mostValues)} values`, 'more, or JSON that refers to itself'];
  const text = `expected ${what} to have at most ${limit}, got ${got}. The file is damaged, or made to do harm.`;
  return new TransferKitError('NOT_A_MODEL', text, { mostLevels, mostValues });
}
