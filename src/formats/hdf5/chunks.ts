// Reads the chunks of a dataset: their places, and their values (specification, III.A.1 and VII).
import { packsTooTightly } from '../../core/inflation.ts';
import { cursorOn } from './cursor.ts';
import { damaged, unsupported } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';
import { undoFilters, type Filter } from './filters.ts';
import { growing, type ChunkIndex, type Layout } from './layout.ts';
import { walkTree } from './oldTree.ts';

/** A chunk in the file. */
interface StoredChunk {
  /** Position of its first value, by axis. */
  readonly origin: readonly number[];
  readonly address: number;
  /** Size in the file, in bytes. */
  readonly size: number;
  /** Bit i: filter i was skipped. */
  readonly mask: number;
}

/** Each chunk takes memory while a dataset is read. */
const mostChunks = 1_000_000;

/** The chunks of a dataset, and how they cover it. */
export interface Grid {
  /** Axes of the dataset. */
  readonly shape: readonly number[];
  /** Axes of a chunk. */
  readonly axes: readonly number[];
  readonly valueSize: number;
  readonly filters: readonly Filter[];
}

/**
 * Copies all chunks of a dataset to their places.
 *
 * @param into - Memory for all values, as bytes.
 */
export function fillFromChunks(
  file: FileBytes,
  { axes, valueSize, index }: Extract<Layout, { kind: 'chunked' }>,
  { shape, filters }: Pick<Grid, 'shape' | 'filters'>,
  into: Uint8Array,
): void {
  if (axes.length !== shape.length) throw damaged('chunks with other axes than their dataset');
  const grid = { shape, axes, valueSize, filters };
  const chunkSize = axes.reduce((product, axis) => product * axis, valueSize);
  const isTooLarge = filters.length === 0 ? chunkSize > file.size : packsTooTightly(file.size, chunkSize);
  if (isTooLarge) throw damaged('chunks that are larger than the file');
  const perAxis = shape.map((length, i) => Math.ceil(length / (axes[i] ?? 1)));
  const expected = perAxis.reduce((product, count) => product * count, 1);
  const seen = new Set<string>();
  for (const chunk of storedChunks(file, index, grid, perAxis, chunkSize)) {
    const isIn = chunk.origin.every((at, i) => at < (shape[i] ?? 0) && at % (axes[i] ?? 1) === 0);
    if (!isIn || seen.has(chunk.origin.join())) throw damaged('chunks that lie on each other');
    seen.add(chunk.origin.join());
    if (chunk.size > chunkSize * 2 + 1024) throw damaged('a chunk that is larger packed than unpacked');
    const stored = new Uint8Array(chunk.size);
    file.fill(chunk.address, stored);
    place(undoFilters(stored, filters, chunk.mask, chunkSize), chunk.origin, grid, into);
  }
  if (seen.size !== expected) throw damaged(`${String(seen.size)} of ${String(expected)} chunks`);
}

function storedChunks(
  file: FileBytes,
  index: ChunkIndex,
  { axes, filters }: Grid,
  perAxis: readonly number[],
  chunkSize: number,
): StoredChunk[] {
  const { address } = index;
  if (index.kind === 'tree') return chunksOfTree(file, address, axes.length);
  if (address === undefined) throw damaged('no values: they were never written');
  if (index.kind === 'single') {
    return [{ origin: axes.map(() => 0), address, size: index.size ?? chunkSize, mask: index.mask }];
  }
  const count = perAxis.reduce((product, each) => product * each, 1);
  if (count > mostChunks) throw unsupported(`a dataset of more than ${String(mostChunks)} chunks`);
  const origin = (number: number): number[] => {
    let rest = number;
    const places = [...perAxis].reverse().map((each) => {
      const at = rest % each;
      rest = Math.floor(rest / each);
      return at;
    });
    return places.reverse().map((at, i) => at * (axes[i] ?? 1));
  };
  const places =
    index.kind === 'implicit'
      ? Array.from({ length: count }, (_, i) => ({ address: address + i * chunkSize, size: chunkSize, mask: 0 }))
      : fixedArray(file, address, count, filters.length === 0 ? chunkSize : undefined);
  return places.map((each, i) => ({ ...each, origin: origin(i) }));
}

function chunksOfTree(file: FileBytes, root: number | undefined, rank: number): StoredChunk[] {
  const chunks: StoredChunk[] = [];
  walkTree(file, root, { type: 1, keySize: 16 + rank * 8 }, (key, address) => {
    const [size, mask] = [key.number(4), key.number(4)];
    chunks.push({ origin: Array.from({ length: rank }, () => key.number(8)), address, size, mask });
  });
  return chunks;
}

/** @param size - Size of every chunk, where no filter changes it. */
function fixedArray(
  file: FileBytes,
  address: number,
  count: number,
  size: number | undefined,
): Omit<StoredChunk, 'origin'>[] {
  const head = file.checked(address, 28);
  head.signature('FAHD');
  head.skip(1);
  const isFiltered = head.number(1) === 1;
  const [entrySize, pageBits, entries] = [head.number(1), head.number(1), head.number(8)];
  // The list contains the chunks of the largest shape that the dataset may grow to.
  if (entries > count) throw unsupported(growing);
  if (entries !== count || isFiltered !== (size === undefined)) throw damaged('a list of chunks that does not fit');
  if (entries > 2 ** pageBits) throw unsupported('a dataset of so many chunks in the newest format of HDF5');
  const block = file.checked(head.address(), 14 + count * entrySize + 4);
  block.signature('FADB');
  block.skip(10);
  return Array.from({ length: count }, () => {
    const entry = cursorOn(block.bytes(entrySize));
    const at = entry.address();
    if (at === undefined) throw damaged('no values: they were never written');
    if (size !== undefined) return { address: at, size, mask: 0 };
    return { address: at, size: entry.number(entrySize - 12), mask: entry.number(4) };
  });
}

/** Copies a chunk row by row; values beyond the edge of the dataset are left out. */
function place(chunk: Uint8Array, origin: readonly number[], { shape, axes, valueSize }: Grid, into: Uint8Array): void {
  const copy = (axis: number, from: number, to: number): void => {
    const [start = 0, length = 1, whole = 1] = [origin[axis], axes[axis], shape[axis]];
    const used = Math.min(length, whole - start);
    if (axis >= axes.length - 1) {
      into.set(
        chunk.subarray(from * length * valueSize, (from * length + used) * valueSize),
        (to * whole + start) * valueSize,
      );
      return;
    }
    for (let i = 0; i < used; i++) copy(axis + 1, from * length + i, to * whole + start + i);
  };
  copy(0, 0, 0);
}
