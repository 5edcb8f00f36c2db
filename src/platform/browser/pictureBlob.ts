// Reads an encoded picture into memory from any source.
import { TransferKitError } from '../../core/errors.ts';
import { assertBytes, type SettledLimits } from '../../core/pictureLimits.ts';
import { readFailure } from '../../core/pictureReading.ts';
import { shortAddress } from '../../core/platform.ts';
import { kindOf } from '../../core/shown.ts';
import { readBytes } from './readBytes.ts';

/** Encoded bytes, and their name in error texts. */
export interface PictureBlob {
  readonly name: string;
  readonly blob: Blob;
}

/**
 * Reads the bytes of an encoded picture.
 *
 * @param source - Address, URL, Blob, File, ArrayBuffer or Uint8Array.
 * @throws TransferKitError `NOT_FOUND`, `UNREADABLE` for too many bytes, `INVALID_OPTION`.
 */
export async function toBlob(source: unknown, limits: SettledLimits): Promise<PictureBlob> {
  const found = await blobOf(source, limits);
  assertBytes(found.name, found.blob.size, limits);
  return found;
}

async function blobOf(source: unknown, limits: SettledLimits): Promise<PictureBlob> {
  if (typeof source === 'string' || source instanceof URL) {
    const address = String(source);
    const bytes = await readBytes(address, { cacheDir: false, mirror: false, maxBytes: limits.maxBytes }).catch(
      (error: unknown) => {
        throw readFailure(error, address, limits);
      },
    );
    return { name: shortAddress(address), blob: new Blob([Uint8Array.from(bytes)]) };
  }
  if (source instanceof Blob) return { name: source instanceof File ? source.name : 'the given Blob', blob: source };
  if (source instanceof ArrayBuffer) return { name: 'the given bytes', blob: new Blob([source]) };
  if (source instanceof Uint8Array) return { name: 'the given bytes', blob: new Blob([Uint8Array.from(source)]) };
  throw new TransferKitError(
    'INVALID_OPTION',
    'expected an address, encoded bytes (Blob, File, ArrayBuffer, Uint8Array), an image, canvas or video ' +
      `element, an ImageBitmap or a VideoFrame, got ${kindOf(source)}.`,
    { type: typeof source },
  );
}
