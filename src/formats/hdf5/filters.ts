// Undoes and verifies the filters of chunks (specification, IV.A.2.l).
import { inflateSync } from 'fflate';
import { packsTooTightly } from '../../core/inflation.ts';
import { adler32, fletcher32 } from './checksums.ts';
import { cursorOn } from './cursor.ts';
import { damaged, unsupported } from './faults.ts';

/** One filter. */
export interface Filter {
  readonly id: number;
  readonly parameters: readonly number[];
}

const ids = { deflate: 1, shuffle: 2, fletcher32: 3 };

/** Names of unsupported filters. */
const names: Readonly<Record<number, string>> = {
  4: 'szip',
  5: 'n-bit',
  6: 'scale-offset',
  32000: 'LZF',
  32001: 'Blosc',
  32004: 'LZ4',
  32013: 'ZFP',
  32015: 'Zstandard',
};

/** Reads a filter message: the filters in the order in which they were applied. */
export function readFilters(body: Uint8Array): Filter[] {
  const cursor = cursorOn(body);
  const [version, count] = [cursor.number(1), cursor.number(1)];
  if (version !== 1 && version !== 2) throw unsupported('filters of a version that is not known');
  if (version === 1) cursor.skip(6);
  return Array.from({ length: count }, () => {
    const id = cursor.number(2);
    const nameLength = version === 1 || id >= 256 ? cursor.number(2) : 0;
    cursor.skip(2);
    const parameterCount = cursor.number(2);
    cursor.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    const parameters = Array.from({ length: parameterCount }, () => cursor.number(4));
    if (version === 1 && parameterCount % 2 === 1) cursor.skip(4);
    return { id, parameters };
  });
}

/**
 * Restores a chunk to its bytes before the filters.
 *
 * @param mask - Bit i: filter i was skipped.
 * @param size - Expected number of bytes.
 */
export function undoFilters(chunk: Uint8Array, filters: readonly Filter[], mask: number, size: number): Uint8Array {
  const done = filters.filter((_, i) => ((mask >>> i) & 1) === 0);
  if (done.filter(({ id }) => id === ids.deflate).length > 1) throw unsupported('values that are packed twice');
  let bytes = chunk;
  for (const [i, { id, parameters }] of [...done.entries()].reverse()) {
    if (id === ids.fletcher32) bytes = checkFletcher(bytes);
    else if (id === ids.shuffle) bytes = unshuffle(bytes, parameters[0] ?? 0);
    else if (id === ids.deflate) {
      // Checksums that were added before are compressed too.
      bytes = unpack(bytes, size + 4 * done.slice(0, i).filter((each) => each.id === ids.fletcher32).length);
    } else throw unsupported(`values that are packed by ${names[id] ?? `filter ${String(id)}`} instead of gzip`);
  }
  if (bytes.length !== size) throw damaged(`a chunk of ${String(bytes.length)} instead of ${String(size)} bytes`);
  return bytes;
}

function checkFletcher(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) throw damaged('a chunk without its checksum');
  const data = bytes.subarray(0, -4);
  const [stored, sum] = [cursorOn(bytes.subarray(-4)).number(4), fletcher32(data)];
  // HDF5 1.6.2 wrote it with swapped bytes.
  const swapped = ((sum & 0x00ff00ff) << 8) | ((sum >>> 8) & 0x00ff00ff);
  if (stored !== sum && stored !== swapped >>> 0) throw damaged('a chunk with a wrong checksum (Fletcher-32)');
  return data;
}

/** A shuffled chunk groups the bytes of equal significance; a remainder at the end is not shuffled. */
function unshuffle(bytes: Uint8Array, width: number): Uint8Array {
  if (width < 1) throw damaged('values of 0 bytes');
  const count = Math.floor(bytes.length / width);
  const values = bytes.slice();
  for (let rank = 0; rank < width; rank++) {
    for (let i = 0; i < count; i++) values[i * width + rank] = bytes[rank * count + i] ?? 0;
  }
  return values;
}

/** Decompresses a zlib stream (RFC 1950). */
function unpack(bytes: Uint8Array, size: number): Uint8Array {
  const [method = 0, flags = 0] = bytes;
  if (bytes.length < 6 || (method & 15) !== 8 || (method * 256 + flags) % 31 !== 0 || (flags & 0x20) !== 0) {
    throw damaged('a chunk that is not packed as it should be');
  }
  if (packsTooTightly(bytes.length, size))
    throw damaged(`a chunk of ${String(bytes.length)} bytes for ${String(size)}`);
  const values = inflated(bytes.subarray(2, -4), size);
  const sum = bytes.subarray(-4).reduce((value, byte) => value * 256 + byte, 0);
  if (values.length !== size || adler32(values) !== sum) throw damaged('a chunk with a wrong checksum (Adler-32)');
  return values;
}

/** Allows one byte more than expected, to detect longer data. */
function inflated(bytes: Uint8Array, size: number): Uint8Array {
  const into = new Uint8Array(size + 1);
  try {
    return inflateSync(bytes, { out: into });
  } catch {
    throw damaged('a chunk that cannot be unpacked');
  }
}
