// The bytes of an open file. Reads stay within the file, and the total work is bounded for any content: structures that
// form circles, or refer to one place countless times, end in an error.
import type { OpenFile } from '../../core/hdf5Storage.ts';
import { lookup3 } from './checksums.ts';
import { cursorOn, type Cursor } from './cursor.ts';
import { damaged } from './faults.ts';

/** Reads by address; addresses count from the superblock. */
export interface FileBytes {
  /** Number of bytes from address 0 on. */
  readonly size: number;
  /** Reads a structure. */
  structure(address: number | undefined, length: number): Uint8Array;
  /** Reads a {@link structure} as a cursor. */
  at(address: number | undefined, length: number): Cursor;
  /** Reads {@link at} a place, and verifies the checksum in the last 4 bytes. */
  checked(address: number | undefined, length: number): Cursor;
  /** Reads values. */
  fill(address: number | undefined, into: Uint8Array): void;
}

/** Reading every structure once takes less work than the size of the file; more means that some are read repeatedly. */
const leastWork = 64 * 2 ** 20;

/** Counts the work of reading a file's structures, over all times that it is opened. */
export interface Work {
  done: number;
}

/**
 * Gives access to an open file from its superblock on.
 *
 * @param start - Position of the superblock.
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
 * Returns bytes without the checksum at their end.
 *
 * @throws Hdf5Fault When the checksum is wrong.
 */
export function withoutChecksum(bytes: Uint8Array): Uint8Array {
  const content = bytes.subarray(0, -4);
  if (cursorOn(bytes.subarray(-4)).number(4) !== lookup3(content)) throw damaged('a structure with a wrong checksum');
  return content;
}
