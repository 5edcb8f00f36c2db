// Reads the first structure of an HDF5 file (HDF5 File Format Specification, version 3.0, II.A).
import { TransferKitError } from '../../core/errors.ts';
import type { Hdf5Storage } from '../../core/hdf5Storage.ts';
import { lookup3 } from './checksums.ts';

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Returns where the superblock starts (0, or after a user block of 512, 1024, 2048 … bytes), or -1 for other files. */
export function findSuperblock(bytes: Uint8Array): number {
  for (let offset = 0; offset + signature.length <= bytes.length; offset = offset === 0 ? 512 : offset * 2) {
    const start = offset;
    if (signature.every((byte, i) => bytes[start + i] === byte)) return start;
  }
  return -1;
}

/** Content of a superblock. */
export interface Superblock {
  /** Its position: addresses count from there. */
  readonly start: number;
  /** Address of the root group's header. */
  readonly root: number;
}

/**
 * Reads the superblock, and checks that the file is as long as the superblock says.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED`.
 */
export function readSuperblock({ head, size }: Pick<Hdf5Storage, 'head' | 'size'>, source: string): Superblock {
  const start = findSuperblock(head);
  const found = start < 0 ? undefined : fieldsOf(head, start);
  const expected = found && start + found.length;
  if (found !== undefined && expected !== undefined && expected <= size) return { start, root: found.root };
  const what = expected === undefined ? 'no beginning of one' : `${String(size)} of ${String(expected)} bytes`;
  throw new TransferKitError(
    'WEIGHTS_DAMAGED',
    `expected a whole HDF5 file in ${source}, got ${what}. The file is truncated or damaged: fetch it again.`,
    { source, expected, found: size },
  );
}

/** Length from the superblock on, and root group; undefined when the superblock is invalid. */
function fieldsOf(bytes: Uint8Array, start: number): { length: number; root: number } | undefined {
  const version = bytes[start + 8] ?? -1;
  const place = places[version];
  if (place === undefined || bytes.length < start + place.length) return undefined;
  // Other address widths than 8 bytes are allowed but unknown in practice.
  if (bytes[start + place.widths] !== 8 || bytes[start + place.widths + 1] !== 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, place.length);
  if (version >= 2 && view.getUint32(44, true) !== lookup3(bytes.subarray(start, start + 44))) return undefined;
  // The end counts from the beginning of the file, the root from the superblock.
  const length = view.getBigUint64(place.end, true) - view.getBigUint64(place.base, true);
  const root = view.getBigUint64(place.root, true);
  if (length < 0n || length > BigInt(Number.MAX_SAFE_INTEGER) || root > length) return undefined;
  return { length: Number(length), root: Number(root) };
}

/** Offsets of the fields, by version: widths of addresses and lengths, base, end, root, and the total length. */
const places = [
  { widths: 13, base: 24, end: 40, root: 64, length: 96 },
  { widths: 13, base: 28, end: 44, root: 68, length: 100 },
  { widths: 9, base: 12, end: 28, root: 36, length: 48 },
  { widths: 9, base: 12, end: 28, root: 36, length: 48 },
];
