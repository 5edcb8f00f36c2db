// The bytes of an open file: reads stay within it, and the work that its structures can cause is bounded, whatever they
// say. Structures that lead in circles, or that lead to the same place in countless ways, end there.
import type { OpenFile } from '../../core/hdf5Storage.ts';
import { lookup3 } from './checksums.ts';
import { cursorOn, type Cursor } from './cursor.ts';
import { damaged } from './faults.ts';

/** Reads by address, which counts from the superblock. */
export interface FileBytes {
  /** Bytes from address 0 on. */
  readonly size: number;
  /** A structure. */
  structure(address: number | undefined, length: number): Uint8Array;
  /** {@link structure}, to be read field by field. */
  at(address: number | undefined, length: number): Cursor;
  /** {@link at}, where the last 4 bytes are the checksum of those in front. */
  checked(address: number | undefined, length: number): Cursor;
  /** Values. */
  fill(address: number | undefined, into: Uint8Array): void;
}

/** Reading each structure of a file once takes less than the file: what needs more than this reads some again and again. */
const leastWork = 64 * 2 ** 20;

/** Counts what is read of a file's structures, over all times that it is opened. */
export interface Work {
  done: number;
}

/**
 * The bytes of a file from its superblock on.
 *
 * @param start - Of the superblock.
 */
export function fileBytes(file: OpenFile, start: number, size: number, work: Work): FileBytes {
  const length = size - start;
  const most = leastWork + 4 * size;
  const fill = (address: number | undefined, into: Uint8Array): void => {
    if (address === undefined) throw damaged('no values: they were never written');
    if (address + into.length > length) throw damaged(`an address outside of the file (${String(address)})`);
    if (file.read(start + address, into) !== into.length) throw damaged('a file that ends too early');
  };
  const structure = (address: number | undefined, bytes: number): Uint8Array => {
    work.done += bytes + 16;
    if (work.done > most) throw damaged('structures that lead in circles');
    if ((address ?? 0) + bytes > length) throw damaged(`an address outside of the file (${String(address)})`);
    const into = new Uint8Array(bytes);
    fill(address, into);
    return into;
  };
  return {
    size: length,
    fill,
    structure,
    at: (address, bytes) => cursorOn(structure(address, bytes)),
    checked: (address, bytes) => cursorOn(withoutChecksum(structure(address, bytes))),
  };
}

/**
 * Bytes without the checksum at their end.
 *
 * @throws Hdf5Fault When it is another one.
 */
export function withoutChecksum(bytes: Uint8Array): Uint8Array {
  const content = bytes.subarray(0, -4);
  if (cursorOn(bytes.subarray(-4)).number(4) !== lookup3(content)) throw damaged('a structure with a wrong checksum');
  return content;
}
