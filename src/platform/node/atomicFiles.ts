// Atomic writes: a file is written next to its target, flushed to the disk, and moved to its place in one step.
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The writes of a save so far, in order, so that a failed save can undo them. */
export type Undo = (() => Promise<unknown>)[];

/** Makes a folder and its parents; records the new ones, which are removed on failure if they are still empty. */
export async function makeFolder(folder: string, undo: Undo): Promise<void> {
  // One level at a time: Node's recursive mkdir never returns on file systems that allow no new folders, such as /proc.
  for (const path of await missingFolders(folder)) {
    await mkdir(path);
    undo.push(() => rmdir(path));
  }
}

/** The missing folders of a path, the outermost first. */
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

/** Writes a file next to its target, flushes it to the disk, and moves it to its place in one step. */
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

/** Makes a rename survive a power cut, where the system supports that (Windows does not). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
