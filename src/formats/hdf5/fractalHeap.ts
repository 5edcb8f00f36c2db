// The heap of newer files (specification, III.G): blocks of doubling sizes, found by an offset.
import { lookup3 } from './checksums.ts';
import { cursorOn } from './cursor.ts';
import { damaged, unsupported } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';
import { newTreeRecords } from './newTree.ts';

interface Heap {
  readonly width: number;
  readonly firstSize: number;
  readonly largestDirect: number;
  readonly offsetWidth: number;
  readonly hasChecksums: boolean;
}

/** A block of data, and the heap offset where it begins. */
interface Block {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** Opens a heap; returns a function that reads the object at a position. */
export function openHeap(file: FileBytes, address: number): (place: Uint8Array) => Uint8Array {
  const fixed = file.at(address, 142 + 4);
  fixed.signature('FRHP');
  fixed.skip(1);
  fixed.skip(2);
  if (fixed.number(2) !== 0) throw unsupported('a heap that is packed');
  const head = file.checked(address, 142 + 4);
  head.skip(9);
  const flags = head.number(1);
  const largestObject = head.number(4);
  head.skip(8);
  const hugeTree = head.address();
  head.skip(80);
  const [width, firstSize, largestDirect] = [head.number(2), head.number(8), head.number(8)];
  const offsetBits = head.number(2);
  head.skip(2);
  const root = head.address();
  const rows = head.number(2);
  if (width === 0 || firstSize === 0 || offsetBits === 0 || offsetBits > 64 || rows > 64) {
    throw damaged('a heap of an impossible size');
  }
  const offsetWidth = Math.ceil(offsetBits / 8);
  const heap = { width, firstSize, largestDirect, offsetWidth, hasChecksums: (flags & 2) !== 0 };
  const lengthWidth = Math.min(bytesFor(largestDirect), bytesFor(largestObject));
  const blocks = new Map<number, Block>();
  return (place) => {
    const cursor = cursorOn(place);
    const kind = (cursor.number(1) >> 4) & 3;
    if (kind === 1) return readHuge(file, hugeTree, cursor.number(cursor.left));
    if (kind === 2) return cursor.bytes(((place[0] ?? 0) % 16) + 1);
    if (kind !== 0) throw damaged('an object of a heap of an unknown kind');
    const offset = cursor.number(offsetWidth);
    const length = cursor.number(lengthWidth);
    const block =
      rows === 0
        ? readDirect(file, root, firstSize, 0, heap, blocks)
        : descend(file, root, rows, offset, 0, heap, blocks);
    const at = offset - block.start;
    if (at < 0 || at + length > block.bytes.length) throw damaged('an object outside of its heap');
    return block.bytes.subarray(at, at + length);
  };
}

function bytesFor(limit: number): number {
  return Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;
}

/** An object that is too large for blocks is stored separately, and a tree lists it by number. */
function readHuge(file: FileBytes, tree: number | undefined, id: number): Uint8Array {
  for (const record of newTreeRecords(file, tree, 1)) {
    const cursor = cursorOn(record);
    const [address, length] = [cursor.address(), cursor.number(8)];
    if (cursor.number(8) === id) return file.structure(address, length);
  }
  throw damaged('an object that its heap does not list');
}

function readDirect(
  file: FileBytes,
  address: number | undefined,
  size: number,
  start: number,
  heap: Heap,
  blocks: Map<number, Block>,
): Block {
  const known = blocks.get(start);
  if (known !== undefined) return known;
  const bytes = file.structure(address, size);
  cursorOn(bytes).signature('FHDB');
  if (heap.hasChecksums) {
    const at = 13 + heap.offsetWidth;
    const stored = cursorOn(bytes.subarray(at, at + 4)).number(4);
    // The checksum field counts as 0 in the checksum.
    const cleared = bytes.slice().fill(0, at, at + 4);
    if (stored !== lookup3(cleared)) throw damaged('a heap with a wrong checksum');
  }
  const block = { bytes, start };
  blocks.set(start, block);
  return block;
}

/** Rows 0 and 1 have blocks of the first size; from there on the sizes double. */
function sizeInRow(row: number, { firstSize }: Heap): number {
  return firstSize * 2 ** Math.max(0, row - 1);
}

/** Finds the block of an offset in an indirect block, whose own blocks begin at `start`. */
function descend(
  file: FileBytes,
  address: number | undefined,
  rows: number,
  offset: number,
  start: number,
  heap: Heap,
  blocks: Map<number, Block>,
): Block {
  const block = file.checked(address, 13 + heap.offsetWidth + rows * heap.width * 8 + 4);
  block.signature('FHIB');
  block.skip(9 + heap.offsetWidth);
  let rowStart = start;
  for (let row = 0; row < rows; row++) {
    const size = sizeInRow(row, heap);
    const rowEnd = rowStart + size * heap.width;
    if (offset < rowEnd) {
      const column = Math.floor((offset - rowStart) / size);
      block.skip((row * heap.width + column) * 8);
      const [child, childStart] = [block.address(), rowStart + column * size];
      if (size <= heap.largestDirect) return readDirect(file, child, size, childStart, heap, blocks);
      const childRows = Math.log2(size / (heap.firstSize * heap.width)) + 1;
      // Nested blocks get smaller, so that damaged ones cannot recurse endlessly.
      if (!Number.isInteger(childRows) || childRows >= row || childRows < 1)
        throw damaged('a heap of an impossible size');
      return descend(file, child, childRows, offset, childStart, heap, blocks);
    }
    rowStart = rowEnd;
  }
  throw damaged('an object outside of its heap');
}
