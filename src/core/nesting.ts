// Limits the nesting depth of JSON from a file, because its readers are recursive.
import { TransferKitError } from './errors.ts';
import { exceededBy } from './exceededBy.ts';

/** Most levels of a model. A network with ten levels of nested models has about 50. */
const mostLevels = 512;

/** Most values that are checked. JSON built by a program may refer to itself and never end. */
const mostValues = 2 ** 25;

/**
 * Raises when JSON is nested too deep or refers to itself.
 *
 * @param what - What the JSON describes and where it came from, for error texts.
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
