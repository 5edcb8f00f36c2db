// The first bytes of an HDF5 file, looked at before the HDF5 library sees it: that one reports on the console.
import { TransferKitError } from '../core/errors.ts';
import type { Hdf5Storage } from '../core/hdf5Storage.ts';

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Where the superblock starts (0, or behind a user block of 512, 1024, 2048 … bytes), or -1 in any other file. */
export function findSuperblock(bytes: Uint8Array): number {
  for (let offset = 0; offset + signature.length <= bytes.length; offset = offset === 0 ? 512 : offset * 2) {
    const start = offset;
    if (signature.every((byte, i) => bytes[start + i] === byte)) return start;
  }
  return -1;
}

/**
 * Raises when a file ends before the end that it names itself (HDF5 File Format Specification, version 3.0, II.A).
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED`.
 */
export function assertComplete({ head, size }: Pick<Hdf5Storage, 'head' | 'size'>, source: string): void {
  const start = findSuperblock(head);
  const expected = start < 0 ? undefined : endOf(head, start);
  if (expected !== undefined && expected <= size) return;
  const found = expected === undefined ? 'no beginning of one' : `${String(size)} of ${String(expected)} bytes`;
  throw new TransferKitError(
    'WEIGHTS_DAMAGED',
    `expected a whole HDF5 file in ${source}, got ${found}. The file is truncated or damaged: fetch it again.`,
    { source, expected, found: size },
  );
}

/** The end of the file as the superblock names it; undefined when it makes no sense. */
function endOf(bytes: Uint8Array, start: number): number | undefined {
  const version = bytes[start + 8] ?? -1;
  const sizeAt = version < 2 ? 13 : 9;
  const endAt = [40, 44, 28, 28][version];
  // Addresses of another width than 8 bytes are allowed but never met.
  if (endAt === undefined || bytes[start + sizeAt] !== 8 || bytes.length < start + endAt + 8) return undefined;
  const end = new DataView(bytes.buffer, bytes.byteOffset + start + endAt, 8).getBigUint64(0, true);
  return end > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : start + Number(end);
}
