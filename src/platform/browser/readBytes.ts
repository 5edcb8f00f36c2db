// Reads an address in a page or worker. Relative addresses are resolved against the page's folder.
import { TransferKitError } from '../../core/errors.ts';
import type { FileHash, ReadFile, ReadOptions } from '../../core/platform.ts';
import type { DownloadEnvironment } from '../../download/readAddress.ts';
import { openCacheStorage } from './cache.ts';
import { parseUrl } from '../../core/parseUrl.ts';

const environment: DownloadEnvironment = {
  hash: hashOf,
  openCache: openCacheStorage,
  isSameOrigin: (address) => {
    const whole = wholeAddress(address);
    return !/^https?:/i.test(whole) || new URL(whole).origin === globalThis.location.origin;
  },
  whole: wholeAddress,
  seesRedirects: false,
  mirror: undefined,
};

/**
 * Reads the bytes of an address.
 *
 * @throws TransferKitError `NOT_FOUND` with the HTTP status or the reason; `ABORTED` when the signal ends the read;
 * `NOT_TRUSTED` for a redirect, `WEIGHTS_DAMAGED`, `OUT_OF_RANGE`, `INVALID_OPTION`.
 */
export async function readFile(location: string, options: ReadOptions = {}): Promise<ReadFile> {
  // Imported here, because many pages read only pictures that the user selects.
  const { readAddress } = await import('../../download/readAddress.ts');
  return readAddress(location, options, environment);
}

/** Returns only the bytes of {@link readFile}. */
export async function readBytes(location: string, options?: ReadOptions): Promise<Uint8Array> {
  return (await readFile(location, options)).bytes;
}

/** Relative addresses are resolved as those of the page; a worker has its own location. */
function wholeAddress(address: string): string {
  const start = typeof document === 'undefined' ? globalThis.location.href : document.baseURI;
  return parseUrl(address, start)?.href ?? address;
}

/** Computes the hash of bytes, in lower-case hexadecimal digits. */
export async function hashOf(algorithm: FileHash['algorithm'], bytes: Uint8Array): Promise<string> {
  if (algorithm === 'md5') return (await import('../../core/md5.ts')).md5(bytes);
  if (!('subtle' in crypto)) {
    const text =
      'expected a page that may check a sha256: browsers allow it on https: and localhost only. Serve it so.';
    throw new TransferKitError('INVALID_OPTION', text, {});
  }
  const digest = await crypto.subtle.digest(
    'SHA-256',
    bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.slice(),
  );
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
