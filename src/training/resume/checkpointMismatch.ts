// Compares the fingerprints of two runs.
import { differencesOf, listed } from '../../core/differences.ts';
import { TransferKitError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';

/** Maximum number of differences in the details of an error. */
const most = 10;

/**
 * Raises unless a checkpoint is of this run.
 *
 * @param name - Name of the checkpoint.
 * @throws TransferKitError `CHECKPOINT_MISMATCH`, with the first ten differences.
 */
export function assertSameRun(name: string, here: JsonObject, there: JsonObject): void {
  const differences = differencesOf(here, there);
  if (differences.length === 0) return;
  const text =
    `expected ${name} to be a checkpoint of this run, got one that differs in ` +
    `${listed(differences)}. Resume with the same model, samples and options, give another ` +
    'checkpoint.to, or leave resume out to begin anew.';
  const details = { name, differences: differences.slice(0, most), count: differences.length };
  throw new TransferKitError('CHECKPOINT_MISMATCH', text, details);
}
