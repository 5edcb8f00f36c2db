// Reads a file or an address into memory, without decoding it.
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isAddress, type FileHash, type ReadFile, type ReadOptions } from '../../core/platform.ts';
import { hasHash, wrongHash } from '../../download/fileHash.ts';
import { checkLimits, readAddress, type DownloadEnvironment } from '../../download/readAddress.ts';
import { folderCache } from './cache.ts';
import { localPath } from './localPath.ts';
import { readPath } from './readPath.ts';

/**
 * Reads a file, given by its path or a `file:` address, or the content of an `http:`, `https:`, `data:` or `blob:`
 * address.
 *
 * @throws TransferKitError `NOT_FOUND` with the reason; `ABORTED` when the signal ends the read; `WEIGHTS_DAMAGED` for
 * another hash; `OUT_OF_RANGE`, `INVALID_OPTION`; for addresses also `NOT_TRUSTED`, and `SAVE_FAILED` when a given
 * `cacheDir` cannot be used.
 */
export async function readFile(location: string, options: ReadOptions = {}): Promise<ReadFile> {
  if (isAddress(location)) return readAddress(location, options, environment());
  checkLimits(options);
  const path = localPath(location);
  const bytes = await readPath(path, options);
  if (options.hash === undefined || (await hasHash(bytes, options.hash, hashOf))) {
    return { bytes, origin: { location: path, reached: path } };
  }
  throw await wrongHash(path, bytes, options.hash, hashOf);
}

/** Returns only the bytes of {@link readFile}. */
export async function readBytes(location: string, options?: ReadOptions): Promise<Uint8Array> {
  return (await readFile(location, options)).bytes;
}

/** The folder for downloads. The variable is read at each use: a program may set it after importing this package. */
export function cacheFolder(cacheDir: string | undefined): string {
  const { TRANSFERKIT_CACHE: folder = '' } = process.env;
  return resolve(localPath(cacheDir ?? (folder === '' ? join(homedir(), '.cache', 'transferkit') : folder)));
}

function environment(): DownloadEnvironment {
  return {
    hash: hashOf,
    openCache: async (cacheDir) => folderCache(cacheFolder(cacheDir)),
    isSameOrigin: () => true,
    whole: (address) => address,
    seesRedirects: true,
    mirror: process.env.TRANSFERKIT_MIRROR,
  };
}

/** Computes the hash of bytes, in lower-case hexadecimal digits. */
export async function hashOf(algorithm: FileHash['algorithm'], bytes: Uint8Array): Promise<string> {
  return createHash(algorithm).update(bytes).digest('hex');
}
