// What tells a run from another one, compared.
import { differencesOf } from '../core/differences.ts';
import { TransferKitError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';

/** Differences that an error lists. */
const listed = 10;

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
