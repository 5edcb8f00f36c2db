// Reads a ZIP archive in memory: its table of contents, and single entries. Sizes are checked before anything is
// unpacked, CRC-32s before anything is used, and names are never used as paths.
import { inflateSync } from 'fflate';
import { crc32 } from '../core/crc32.ts';
import { TransferKitError } from '../core/errors.ts';
import { packsTooTightly } from '../core/inflation.ts';

/** An entry of the table of contents. */
export interface ZipEntry {
  readonly name: string;
  /** Size in the archive, in bytes. */
  readonly packed: number;
  /** Unpacked size according to the archive, in bytes. */
  readonly size: number;
  /** 0: stored; 8: deflate. */
  readonly method: number;
  readonly encrypted: boolean;
  /** CRC-32 of the unpacked bytes. */
  readonly crc: number;
  /** Where the entry's own header begins. */
  readonly offset: number;
}

/**
 * Returns the entries of a ZIP archive.
 *
 * @param source - Name of the archive in error texts.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when the archive has no complete table of contents, or when names repeat,
 * entries overlap or an entry has two names: readers do not agree on the content of such archives.
 */
export function zipEntries(bytes: Uint8Array, source: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end < 0) throw damaged(source, 'without its end');
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  const decoder = new TextDecoder();
  const entries: ZipEntry[] = [];
  let at = start;
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
      crc: view.getUint32(at + 16, true),
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  if (at > end || at - start !== view.getUint32(end + 12, true))
    throw damaged(source, 'with a broken table of contents');
  assertApart(view, entries, start, source);
  assertNames(bytes, entries, source);
  return entries;
}

/** Raises when names repeat or entries overlap. */
function assertApart(view: DataView, entries: readonly ZipEntry[], directory: number, source: string): void {
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name)) throw damaged(source, `with two entries '${name}'`);
    names.add(name);
  }
  let next = directory;
  for (const entry of [...entries].sort((a, b) => b.offset - a.offset)) {
    const start = dataStart(view, entry);
    if (start === undefined) throw damaged(source, `whose '${entry.name}' is not where it should be`);
    if (start + entry.packed > next) throw damaged(source, `whose '${entry.name}' lies on what follows`);
    next = entry.offset;
  }
}

/** Raises unless each entry has the same name in its own header, which some readers use. */
function assertNames(bytes: Uint8Array, entries: readonly ZipEntry[], source: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { name, offset } of entries) {
    const own = new TextDecoder().decode(bytes.subarray(offset + 30, offset + 30 + view.getUint16(offset + 26, true)));
    if (own !== name) throw damaged(source, `whose '${name}' has another name in its own header`);
  }
}

/** Where an entry's bytes begin, after its own header; undefined when there is no such header. */
function dataStart(view: DataView, { offset }: ZipEntry): number | undefined {
  if (offset + 30 > view.byteLength || view.getUint32(offset, true) !== 0x04034b50) return undefined;
  return offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
}

/**
 * Returns the bytes of an entry: a view of the archive where it is stored, else unpacked.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED`, also when the entry cannot have the size that the archive says, or has
 * another CRC-32.
 */
export function unzip(bytes: Uint8Array, entry: ZipEntry, source: string): Uint8Array {
  const { name, packed, size, encrypted, offset } = entry;
  const wrong = (found: string, cause?: unknown) => damaged(source, `whose '${name}' ${found}`, cause);
  if (encrypted) throw wrong('is encrypted');
  if (Math.max(packed, size, offset) === 0xffffffff) throw wrong('is larger than 4 GiB');
  const start = dataStart(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), entry);
  if (start === undefined) throw wrong('is not where it should be');
  const unpacked = unpack(bytes.subarray(start, start + packed), entry, wrong);
  if (crc32(unpacked) !== entry.crc) throw wrong('has another CRC-32 than the archive says');
  return unpacked;
}

function unpack(data: Uint8Array, { packed, size, method }: ZipEntry, wrong: Wrong): Uint8Array {
  if (data.length !== packed) throw wrong('is truncated');
  if (method === 0 && packed !== size) throw wrong(`claims ${String(size)} bytes in ${String(packed)}`);
  if (method === 0) return data;
  if (method !== 8) throw wrong(`is packed by a method that is not deflate (${String(method)})`);
  if (packsTooTightly(packed, size)) throw wrong(`claims ${String(size)} bytes in ${String(packed)}`);
  const unpacked = inflate(data, size, wrong);
  if (unpacked.length !== size) throw wrong(`does not have the ${String(size)} bytes that it claims`);
  return unpacked;
}

type Wrong = (found: string, cause?: unknown) => TransferKitError;

/** Allows one byte more than announced, to detect longer data. */
function inflate(data: Uint8Array, size: number, wrong: Wrong): Uint8Array {
  try {
    return inflateSync(data, { out: new Uint8Array(size + 1) });
  } catch (cause) {
    throw wrong('cannot be unpacked', cause);
  }
}

/** Finds the record at the end of the archive; a comment of up to 64 KiB may follow it. */
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
