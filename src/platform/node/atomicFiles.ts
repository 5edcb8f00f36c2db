// Files that are never half there: written beside their place, made sure of, and moved there in one step.
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What a save has put on the disk so far, in order, so that a failed one can take it away again. */
export type Undo = (() => Promise<unknown>)[];

/** Makes a folder and those above it; notes the new ones, to be removed again if they are still empty. */
export async function makeFolder(folder: string, undo: Undo): Promise<void> {
  // One at a time: Node's recursive mkdir never returns on file systems that hold no new folders, such as /proc.
  for (const path of await missingFolders(folder)) {
    await mkdir(path);
    undo.push(() => rmdir(path));
  }
}

/** The folder and those above it that are not there yet, the outermost first. */
async function missingFolders(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let path = folder; ; path = dirname(path)) {
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (isThere || path === dirname(path)) return missing.reverse();
    missing.push(path);
  }
}

/** Writes a file beside its place, makes sure that it is on the disk, and moves it there in one step. */
export async function replaceFile(path: string, data: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      for (const part of data) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cause;
  }
  await syncFolder(dirname(path));
}

/** Makes a rename last through a loss of power, where the system can do that (Windows cannot). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
