// Reads a file or an address into memory. Decodes nothing.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TransferKitError } from '../core/errors.ts';
import { isAddress, type FileHash, type ReadOptions } from '../core/platform.ts';
import { checkDigest, hasHash, wrongHash } from '../download/fileHash.ts';
import { readAddress, type DownloadEnvironment } from '../download/readAddress.ts';
import { folderCache } from './cache.ts';
import { homeAdvice } from './homePath.ts';

/**
 * Reads a file, given by its path or a `file:` address, or what an `http:`, `https:`, `data:` or `blob:` address gives.
 *
 * @throws TransferKitError `NOT_FOUND` with the reason; `ABORTED` when the signal ends the read; `WEIGHTS_DAMAGED` for
 * another hash, `INVALID_OPTION`; for addresses also `OUT_OF_RANGE`, and `SAVE_FAILED` when a given `cacheDir` cannot be
 * used.
 */
export async function readBytes(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
  if (isAddress(location)) return readAddress(location, options, environment());
  if (options.hash !== undefined) checkDigest(options.hash);
  const path = location.startsWith('file:') ? fileURLToPath(location) : location;
  const bytes = await readPath(path, options.signal);
  if (options.hash === undefined || (await hasHash(bytes, options.hash, hashOf))) return bytes;
  throw await wrongHash(path, bytes, options.hash, hashOf);
}

async function readPath(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(path, signal === undefined ? {} : { signal });
  } catch (cause) {
    if (signal?.aborted === true) {
      throw new TransferKitError('ABORTED', `reading ${path} was stopped by its signal.`, { path }, cause);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected a readable file at ${path}, but: ${reason}. Check the path; relative ones start at ${process.cwd()}.${await homeAdvice(path)}`;
    throw new TransferKitError('NOT_FOUND', text, { path, reason }, cause);
  }
}

/** The folder that downloads are kept in. The variable is read at each use: a program may set it after importing this. */
export function cacheFolder(cacheDir: string | undefined): string {
  const { TRANSFERKIT_CACHE: folder = '' } = process.env;
  return resolve(cacheDir ?? (folder === '' ? join(homedir(), '.cache', 'transferkit') : folder));
}

function environment(): DownloadEnvironment {
  return {
    hash: hashOf,
    openCache: async (cacheDir) => folderCache(cacheFolder(cacheDir)),
    isSameOrigin: () => true,
    mirror: process.env.TRANSFERKIT_MIRROR,
  };
}

async function hashOf(algorithm: FileHash['algorithm'], bytes: Uint8Array): Promise<string> {
  return createHash(algorithm).update(bytes).digest('hex');
}
