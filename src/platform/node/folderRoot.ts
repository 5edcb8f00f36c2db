// Resolves the folder of pictures that a user names.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import { homeAdvice } from './homePath.ts';

/**
 * Converts a path or a `file:` URL to the absolute path of an existing folder.
 *
 * @throws TransferKitError `NOT_FOUND`, `INVALID_OPTION`.
 */
export async function folderRoot(folder: string | URL): Promise<string> {
  // Untyped programs may pass anything.
  const given: unknown = folder;
  const isFile = given instanceof URL && given.protocol === 'file:';
  if ((typeof given !== 'string' || given === '') && !isFile) {
    throw invalidOption("the path of a folder, or its URL with 'file:'", given instanceof URL ? given.href : given);
  }
  const root = resolve(folder instanceof URL ? pathOf(folder) : folder);
  const found = await stat(root).then(
    (stats) => (stats.isDirectory() ? 'folder' : 'a file'),
    (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
  );
  if (found === 'folder') return root;
  const text =
    `expected a folder at ${root}, got ${found}. Give the folder that holds one folder for each label.` +
    (await homeAdvice(String(folder)));
  throw new TransferKitError('NOT_FOUND', text, { path: root });
}

/** A URL with another host is not a path. */
function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalidOption('the URL of a folder on this machine', url.href);
  }
}
