// A ZIP archive in memory: its table of contents, and single entries. Nothing is unpacked before its size is known to be
// possible, and names are never used as paths.
import { inflateSync } from 'fflate';
import { TransferKitError } from '../core/errors.ts';

/** An entry of the table of contents. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes when unpacked, as the archive says. */
  readonly size: number;
  /** 0: stored as it is; 8: deflate. */
  readonly method: number;
  readonly encrypted: boolean;
  /** Where the entry's own header begins. */
  readonly offset: number;
}

/** Numbers hardly shrink: a large entry that is packed tighter than this is made to fill the memory. */
const bomb = { bytes: 64 * 2 ** 20, ratio: 64 };

/** Deflate cannot shrink anything further (RFC 1951: 258 bytes for at least 2 bits). */
export const largestRatio = 1032;

/**
 * The entries of a ZIP archive.
 *
 * @param source - For messages.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when the archive has no whole table of contents.
 */
export function zipEntries(bytes: Uint8Array, source: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end < 0) throw damaged(source, 'without its end');
  const count = view.getUint16(end + 10, true);
  const decoder = new TextDecoder();
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50)
      throw damaged(source, 'with a broken table of contents');
    const nameLength = view.getUint16(at + 28, true);
    entries.push({
      name: decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/**
 * The bytes of an entry: a part of the archive where it is stored as it is, else unpacked.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED`, also when the entry cannot have the size that the archive says.
 */
export function unzip(bytes: Uint8Array, entry: ZipEntry, source: string): Uint8Array {
  const { name, packed, size, method, encrypted, offset } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wrong = (found: string, cause?: unknown) => damaged(source, `whose '${name}' ${found}`, cause);
  if (encrypted) throw wrong('is encrypted');
  if (Math.max(packed, size, offset) === 0xffffffff) throw wrong('is larger than 4 GiB');
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== 0x04034b50)
    throw wrong('is not where it should be');
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const data = bytes.subarray(start, start + packed);
  if (data.length !== packed) throw wrong('is truncated');
  if (method === 0 && packed === size) return data;
  if (method !== 8) throw wrong(`is packed by a method that is not deflate (${String(method)})`);
  const most = size > bomb.bytes ? bomb.ratio : largestRatio;
  if (size > packed * most) throw wrong(`claims ${String(size)} bytes in ${String(packed)}`);
  const unpacked = inflate(data, size, wrong);
  if (unpacked.length !== size) throw wrong(`does not have the ${String(size)} bytes that it claims`);
  return unpacked;
}

/** One byte more than promised shows when there is more. */
function inflate(
  data: Uint8Array,
  size: number,
  wrong: (found: string, cause: unknown) => TransferKitError,
): Uint8Array {
  try {
    return inflateSync(data, { out: new Uint8Array(size + 1) });
  } catch (cause) {
    throw wrong('cannot be unpacked', cause);
  }
}

/** Where the record at the end of the archive starts; a comment of up to 64 KiB may follow it. */
function findEnd(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  return -1;
}

function damaged(source: string, found: string, cause?: unknown): TransferKitError {
  const text = `expected a whole ZIP archive in ${source}, got one ${found}. The file is truncated or damaged: fetch or save it again.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, found }, cause);
}
