// What tells a run from another one, compared.
import { TransferKitError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';

/** Differences that an error lists. */
const listed = 10;
const longest = 60;

/**
 * Raises unless a checkpoint is of this run.
 *
 * @param name - The checkpoint's.
 * @throws TransferKitError `CHECKPOINT_MISMATCH`, with the first ten differences.
 */
export function assertSameRun(verb: string, name: string, here: JsonObject, there: JsonObject): void {
  const differences = differencesOf(here, there);
  if (differences.length === 0) return;
  const rest = differences.length > listed ? `; and ${differences.length - listed} more` : '';
  const text =
    `${verb}: expected ${name} to be a checkpoint of this run, got one that differs in ` +
    `${differences.slice(0, listed).join('; ')}${rest}. Resume with the same model, samples and options, give another ` +
    'checkpoint.to, or leave resume out to begin anew.';
  const details = { name, differences: differences.slice(0, listed), count: differences.length };
  throw new TransferKitError('CHECKPOINT_MISMATCH', text, details);
}

/** `batchSize (32 here, 16 there)`, for each value that is not the same. */
export function differencesOf(here: Json | undefined, there: Json | undefined, path = ''): string[] {
  if (isJsonObject(here) && isJsonObject(there)) {
    const names = new Set([...Object.keys(here), ...Object.keys(there)]);
    return [...names].flatMap((name) => differencesOf(here[name], there[name], path === '' ? name : `${path}.${name}`));
  }
  const [own, other] = [shown(here), shown(there)];
  return own === other ? [] : [`${path} (${shortened(own)} here, ${shortened(other)} there)`];
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function shortened(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
