// Checkpoints in a folder, one file each.
import { access, constants, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CheckpointStore } from '../../core/checkpointStore.ts';
import { TransferKitError } from '../../core/errors.ts';
import { makeFolder, replaceFile } from './atomicFiles.ts';

/** Temporary file of `replaceFile` from a process that was killed during a write. */
const unfinished = /\.safetensors\.[0-9a-f]{12}\.tmp$/;

/**
 * Opens a folder for checkpoints; creates it when it is missing. Only one run writes to it at a time, so unfinished
 * files of other runs are removed.
 *
 * @throws TransferKitError `INVALID_OPTION` for an address, `SAVE_FAILED` when the folder cannot be created or written.
 */
export async function openCheckpoints(location: string): Promise<CheckpointStore> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location)) {
    const text =
      `expected checkpoint.to to be the path of a folder, got ${location}. For checkpoints elsewhere, ` +
      'give an object with list, read, write and remove.';
    throw new TransferKitError('INVALID_OPTION', text, { location });
  }
  const folder = resolve(location);
  await explained(folder, async () => {
    await makeFolder(folder, []);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    for (const name of await readdir(folder)) if (unfinished.test(name)) await rm(join(folder, name), { force: true });
  });
  return {
    list: async () => (await readdir(folder)).filter((name) => !unfinished.test(name)),
    read: (name) => readFile(join(folder, name)),
    write: (name, bytes) => explained(folder, () => replaceFile(join(folder, name), [bytes])),
    remove: (name) => explained(folder, () => rm(join(folder, name), { force: true })),
  };
}

async function explained(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected to keep checkpoints in ${folder}, but: ${reason}. What was there before is unchanged.`;
    throw new TransferKitError('SAVE_FAILED', text, { folder, reason }, cause);
  }
}
