// HDF5 files on a disk, opened in place by h5wasm: a weights file is never whole in memory.
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Hdf5Storage } from '../core/hdf5Storage.ts';
import { importFailure } from '../core/importFailure.ts';
import { isAddress, type ReadOptions } from '../core/platform.ts';
import { locateCached } from './cache.ts';
import { cacheFolder } from './readBytes.ts';

/**
 * A file that h5wasm reads from the disk; undefined when there is no such file or it is not HDF5.
 *
 * @param location - A path, or the address of a file that has been downloaded: then the kept copy is opened.
 * @throws What importing h5wasm raises.
 */
export async function openHdf5(
  location: string,
  { cacheDir }: Pick<ReadOptions, 'cacheDir'> = {},
): Promise<Hdf5Storage | undefined> {
  if (!isAddress(location)) return openAt(resolve(location), 0);
  const kept = cacheDir === false ? undefined : await locateCached(cacheFolder(cacheDir), location);
  return kept && openAt(kept.path, kept.offset);
}

/** HDF5 finds its beginning behind a head by itself, where that takes 512, 1024, 2048 … bytes. */
async function openAt(path: string, offset: number): Promise<Hdf5Storage | undefined> {
  const start = await readStart(path, offset);
  if (start === undefined || !startsAsHdf5(start.head)) return undefined;
  const { File, ready } = await importH5wasm();
  await ready;
  return { ...start, open: () => new File(path, 'r') };
}

async function importH5wasm() {
  try {
    return await import('h5wasm/node');
  } catch (cause) {
    throw importFailure('h5wasm', cause);
  }
}

async function readStart(path: string, offset: number): Promise<{ head: Uint8Array; size: number } | undefined> {
  const file = await open(path).catch(() => undefined);
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
