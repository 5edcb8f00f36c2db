// Walks folders for picture files: what is hidden or no picture is set aside by name. Knows nothing about labels.
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { TransferKitError } from '../../core/errors.ts';

/** What was set aside, as paths relative to the root, with `/` on every system. */
export interface Listing {
  readonly hidden: string[];
  readonly notImages: string[];
}

/** One folder: names of its visible folders, and its pictures as paths relative to the root. Both sorted by UTF-16 codes, the same everywhere. */
export interface FolderContent {
  readonly folders: readonly string[];
  readonly pictures: readonly string[];
}

const hiddenNames = new Set(['thumbs.db', 'desktop.ini', '__macosx']);

/**
 * Lists one folder and adds what it sets aside to `aside`. Symbolic links are followed; one that leads nowhere counts as
 * a file, so that reading it says what is wrong.
 *
 * @param folder - Relative to the root.
 * @param extensions - Endings of picture files, in small letters, without dot.
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
    if (entry.name.startsWith('.') || hiddenNames.has(entry.name.toLowerCase())) aside.hidden.push(id);
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
    const text = `imageFolder: expected a folder that can be listed at ${path}, but: ${reason}. Check who may read it.`;
    throw new TransferKitError('NOT_FOUND', text, { path, reason }, cause);
  }
}

/** All pictures at any depth below a folder, as paths relative to the root, sorted. Links that make a circle are walked once. */
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
  if (above.has(place)) return []; // a link to a folder above: everything in it is found already
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
