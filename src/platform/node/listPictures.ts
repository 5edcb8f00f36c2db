// Walks folders for picture files. Hidden files and files that are not pictures are listed separately. It ignores
// labels.
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { TransferKitError } from '../../core/errors.ts';
import { isHiddenName } from '../../core/hiddenFiles.ts';

/** Files that were left out, as paths relative to the root, with `/` on every system. */
export interface Listing {
  readonly hidden: string[];
  readonly notImages: string[];
}

/**
 * One folder: names of its visible folders, and its pictures as paths relative to the root. Both are sorted by UTF-16
 * codes, the same on every system.
 */
export interface FolderContent {
  readonly folders: readonly string[];
  readonly pictures: readonly string[];
}

/**
 * Lists one folder and adds the files that are left out to `aside`. Symbolic links are followed. A broken link counts
 * as a file, so that reading it raises an error with the reason.
 *
 * @param folder - Relative to the root.
 * @param extensions - Extensions of picture files, in lower case, without dot.
 */
export async function listFolder(
  root: string,
  folder: string,
  extensions: ReadonlySet<string>,
  aside: Listing,
): Promise<FolderContent> {
  const folders: string[] = [];
  const pictures: string[] = [];
  for (const entry of await entriesOf(join(root, folder))) {
    const id = join(folder, entry.name).split(sep).join('/');
    if (isHiddenName(entry.name)) aside.hidden.push(id);
    else if (await isFolder(join(root, id), entry)) folders.push(entry.name);
    else if (extensions.has(extname(entry.name).slice(1).toLowerCase())) pictures.push(id);
    else aside.notImages.push(id);
  }
  return { folders: folders.sort(), pictures: pictures.sort() };
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected a folder that can be listed at ${path}, but: ${reason}. Check who may read it.`;
    throw new TransferKitError('NOT_FOUND', text, { path, reason }, cause);
  }
}

/**
 * All pictures at any depth below a folder, as paths relative to the root, sorted. Circular links are followed once.
 */
export async function listPictures(
  root: string,
  folder: string,
  extensions: ReadonlySet<string>,
  aside: Listing,
): Promise<string[]> {
  return (await walk(root, folder, extensions, aside, new Set())).sort();
}

async function walk(
  root: string,
  folder: string,
  extensions: ReadonlySet<string>,
  aside: Listing,
  above: ReadonlySet<string>,
): Promise<string[]> {
  const place = await realpath(join(root, folder));
  if (above.has(place)) return []; // a link to a parent folder: its content is listed already
  const { folders, pictures } = await listFolder(root, folder, extensions, aside);
  const found = [...pictures];
  for (const name of folders) {
    found.push(...(await walk(root, join(folder, name), extensions, aside, new Set([...above, place]))));
  }
  return found;
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
