// Checks files against the hash that their publisher gives.
import { TransferKitError } from '../core/errors.ts';
import { shortAddress, type FileHash } from '../core/platform.ts';

/** Computes the hash of bytes, in lower-case hexadecimal digits. */
export type HashOf = (algorithm: FileHash['algorithm'], bytes: Uint8Array) => Promise<string>;

/** Returns whether bytes have a hash; true where none is given. */
export async function hasHash(bytes: Uint8Array, hash: FileHash | undefined, hashOf: HashOf): Promise<boolean> {
  return hash === undefined || (await hashOf(hash.algorithm, bytes)) === hash.digest.toLowerCase();
}

/** The error for bytes with another hash. */
export async function wrongHash(
  location: string,
  bytes: Uint8Array,
  { algorithm, digest }: FileHash,
  hashOf: HashOf,
): Promise<TransferKitError> {
  const name = shortAddress(location);
  const [expected, found] = [digest.toLowerCase(), await hashOf(algorithm, bytes)];
  return new TransferKitError(
    'WEIGHTS_DAMAGED',
    `expected the file at ${name} to have the ${algorithm} ${expected}, got ${found} for ${bytes.length} bytes. It was ` +
      'damaged on its way or is another file: fetch it again, and check the hash.',
    { address: name, algorithm, expected, found, bytes: bytes.length },
  );
}

/**
 * Raises unless a hash is well formed.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function checkDigest({ algorithm, digest }: FileHash): void {
  const digits = algorithm === 'md5' ? 32 : 64;
  if (digest.length === digits && /^[0-9a-f]+$/i.test(digest)) return;
  const text = `expected the ${algorithm} of a file as ${digits} hexadecimal digits, got '${digest}'.`;
  throw new TransferKitError('INVALID_OPTION', text, { algorithm, digest });
}
