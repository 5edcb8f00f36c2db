// HDF5 files on a disk, read in place: a weights file is never completely in memory.
import { closeSync, openSync, readSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TransferKitError } from '../../core/errors.ts';
import type { Hdf5Storage, OpenFile } from '../../core/hdf5Storage.ts';
import { isAddress, type ReadOptions } from '../../core/platform.ts';
import { tooBig } from '../../download/body.ts';
import { locateCached } from './cache.ts';
import { localPath } from './localPath.ts';
import { cacheFolder } from './readBytes.ts';

/**
 * Opens an HDF5 file on the disk; undefined when there is no such file or it is not HDF5.
 *
 * @param location - A path, or the address of a downloaded file, whose cached copy is opened.
 * @throws TransferKitError `OUT_OF_RANGE` for a file over `maxBytes`.
 */
export async function openHdf5(
  location: string,
  { cacheDir, maxBytes = Infinity }: Pick<ReadOptions, 'cacheDir' | 'maxBytes'> = {},
): Promise<Hdf5Storage | undefined> {
  if (!isAddress(location)) return openAt(resolve(localPath(location)), 0, maxBytes);
  const kept = cacheDir === false ? undefined : await locateCached(cacheFolder(cacheDir), location);
  return kept && openAt(kept.path, kept.offset, maxBytes);
}

/** @param offset - Where the HDF5 data begins: a cached copy has a head before it. */
async function openAt(path: string, offset: number, maxBytes: number): Promise<Hdf5Storage | undefined> {
  const start = await readStart(path, offset);
  if (start === undefined || !startsAsHdf5(start.head)) return undefined;
  if (start.size > maxBytes) throw tooBig(path, start.size, maxBytes, 'it has');
  return { ...start, open: () => openFile(path, offset) };
}

function openFile(path: string, offset: number): OpenFile {
  const file = withReason(path, () => openSync(path, 'r'));
  return {
    read: (at, into) => {
      let done = 0;
      // A read may return fewer bytes than requested.
      for (let more = -1; more !== 0 && done < into.length; done += more) {
        const from = done;
        more = withReason(path, () => readSync(file, into, from, into.length - from, offset + at + from));
      }
      return done;
    },
    close: () => {
      closeSync(file);
    },
  };
}

/** The file may have been removed since it was opened. */
function withReason(path: string, use: () => number): number {
  try {
    return use();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected a readable file at ${path}, but: ${reason}. Load the model again.`;
    throw new TransferKitError('NOT_FOUND', text, { path, reason }, cause);
  }
}

async function readStart(path: string, offset: number): Promise<{ head: Uint8Array; size: number } | undefined> {
  // Opening a pipe would block until another process writes to it.
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const file = isFile ? await open(path).catch(() => undefined) : undefined;
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(new Uint8Array(4096), 0, 4096, offset);
    return { head: buffer.subarray(0, bytesRead), size: size - offset };
  } catch {
    return undefined; // a folder
  } finally {
    await file.close();
  }
}

function startsAsHdf5(head: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46].every((byte, i) => head[i] === byte);
}
