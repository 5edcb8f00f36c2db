// Reads the bytes of an encoded picture from any source, up to the limit.
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TransferKitError } from '../../core/errors.ts';
import { assertBytes, type SettledLimits } from '../../core/pictureLimits.ts';
import { readFailure } from '../../core/pictureReading.ts';
import { isAddress, shortAddress } from '../../core/platform.ts';
import { kindOf } from '../../core/shown.ts';
import { parseUrl } from '../../core/parseUrl.ts';
import { readBytes } from './readBytes.ts';

/** An encoded picture. */
export interface EncodedPicture {
  /** Where the bytes came from, for error texts. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads a picture.
 *
 * @param source - Path, address, URL, Uint8Array, ArrayBuffer or Blob.
 * @throws TransferKitError `NOT_FOUND`, `UNREADABLE` for too many bytes or a source without end, `INVALID_OPTION`.
 */
export async function readPicture(source: unknown, limits: SettledLimits): Promise<EncodedPicture> {
  if (typeof source === 'string' || source instanceof URL) return readLocation(String(source), limits);
  const name = source instanceof Blob ? 'the given Blob' : 'the given bytes';
  assertBytes(name, sizeOf(source), limits);
  if (source instanceof Uint8Array) return { name, bytes: source };
  if (source instanceof ArrayBuffer) return { name, bytes: new Uint8Array(source) };
  if (source instanceof Blob) return { name, bytes: new Uint8Array(await source.arrayBuffer()) };
  throw new TransferKitError(
    'INVALID_OPTION',
    'expected a path, an address, or encoded bytes as Uint8Array, ArrayBuffer or Blob, got ' +
      `${kindOf(source)}. Elements of a page can be read only in a browser.`,
    { type: typeof source },
  );
}

function sizeOf(source: unknown): number {
  if (source instanceof Blob) return source.size;
  return source instanceof Uint8Array || source instanceof ArrayBuffer ? source.byteLength : 0;
}

async function readLocation(location: string, limits: SettledLimits): Promise<EncodedPicture> {
  const name = shortAddress(location);
  try {
    if (!isAddress(location)) await assertFile(location, name, limits);
    const options = { cacheDir: false, mirror: false, maxBytes: limits.maxBytes } as const;
    const bytes = await readBytes(location, options);
    assertBytes(name, bytes.length, limits);
    return { name, bytes };
  } catch (error) {
    throw readFailure(error, location, limits);
  }
}

/** Refuses devices and pipes, which may have no end. The read itself reports a missing file. */
async function assertFile(location: string, name: string, limits: SettledLimits): Promise<void> {
  const path = location.startsWith('file:') && parseUrl(location) !== undefined ? fileURLToPath(location) : location;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return;
  if (found.isFile()) {
    assertBytes(name, found.size, limits);
    return;
  }
  const text = `expected a file with a picture at ${name}, got a device, pipe or socket. Give a file, or its bytes.`;
  throw new TransferKitError('UNREADABLE', text, { source: name });
}
