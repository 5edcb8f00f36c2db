// Writes a model as one file, which is replaced in one step.
import { dirname, resolve } from 'node:path';
import { TransferKitError } from '../../core/errors.ts';
import { makeFolder, replaceFile, type Undo } from './atomicFiles.ts';

/**
 * Writes a file. Missing folders before it are created; after a failure none of them is left.
 *
 * @param pack - Gives the bytes. Its errors are failures too.
 * @throws TransferKitError `SAVE_FAILED`.
 */
export async function saveFile(location: string, pack: () => Uint8Array | Promise<Uint8Array>): Promise<void> {
  const path = resolve(location);
  const undo: Undo = [];
  try {
    const bytes = await pack();
    await makeFolder(dirname(path), undo);
    await replaceFile(path, [bytes]);
  } catch (cause) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected to write a model to ${path}, but: ${reason}. What was there before is unchanged.`;
    throw new TransferKitError('SAVE_FAILED', text, { path, reason }, cause);
  }
}
