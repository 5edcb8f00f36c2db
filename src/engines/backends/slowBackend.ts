// Records that verbs run on cpu because nothing faster started, so that results can say so.
import { getBackend } from '@tensorflow/tfjs-core';
import { warnOnce } from '../../core/warnOnce.ts';

let note: string | undefined;

/** The console's warning appears once in a process. */
const warned = {};

/**
 * Records the choice of a backend, and warns on the console where it is cpu after others failed.
 *
 * @returns The note for the report; undefined where there is none.
 */
export function noteSlowBackend(
  name: string,
  failed: readonly { readonly name: string; readonly reason: string }[],
): string | undefined {
  note = undefined;
  if (name !== 'cpu' || failed.length === 0) return undefined;
  const reasons = failed.map((each) => `${each.name}: ${each.reason}`).join('; ');
  note = `the backend is cpu, 50 to 90 times slower than wasm, because nothing faster started (${reasons})`;
  warnOnce(warned, `useBackend: ${note}.`);
  return note;
}

/** The note, while cpu is active. */
export function slowBackendNotes(): string[] {
  return note !== undefined && getBackend() === 'cpu' ? [note] : [];
}
