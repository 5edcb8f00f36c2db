// Reads all records of a version 2 B-tree (specification, III.A.2).
import { damaged } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';

interface TreeShape {
  readonly nodeSize: number;
  readonly recordSize: number;
}

/** Returns the records of a tree of a type, in order. No node is read twice. */
export function newTreeRecords(file: FileBytes, address: number | undefined, type: number): readonly Uint8Array[] {
  const head = file.checked(address, 38);
  head.signature('BTHD');
  head.skip(1);
  if (head.number(1) !== type) throw damaged('a tree of another kind');
  const shape = { nodeSize: head.number(4), recordSize: head.number(2) };
  const depth = head.number(2);
  head.skip(2);
  const root = head.address();
  const count = head.number(2);
  const total = head.number(8);
  if (depth > 16 || shape.recordSize === 0 || shape.nodeSize <= overhead) throw damaged('a tree of an impossible size');
  const records = root === undefined ? [] : walk(file, { address: root, count }, depth, shape, new Set());
  if (records.length !== total) throw damaged(`${String(records.length)} of the ${String(total)} names of a group`);
  return records;
}

/** Signature, version, type and checksum. */
const overhead = 10;

interface Child {
  readonly address: number;
  readonly count: number;
}

function walk(
  file: FileBytes,
  { address, count }: Child,
  depth: number,
  shape: TreeShape,
  seen: Set<number>,
): Uint8Array[] {
  if (seen.has(address)) throw damaged('a tree that leads in circles');
  seen.add(address);
  const countWidth = widthOf(maxRecords(shape, 0));
  const totalWidth = depth > 1 ? widthOf(allRecords(shape, depth - 1)) : 0;
  const pointers = depth === 0 ? 0 : (count + 1) * (8 + countWidth + totalWidth);
  const node = file.checked(address, overhead + count * shape.recordSize + pointers);
  node.signature(depth === 0 ? 'BTLF' : 'BTIN');
  node.skip(2);
  const records = Array.from({ length: count }, () => node.bytes(shape.recordSize));
  if (depth === 0) return records;
  return Array.from({ length: count + 1 }, () => {
    const child = { address: node.number(8), count: node.number(countWidth) };
    node.skip(totalWidth);
    return walk(file, child, depth - 1, shape, seen);
  }).flatMap((below, i) => [...below, ...records.slice(i, i + 1)]);
}

/** Number of records that a node can hold; nodes above leaves hold pointers too. */
function maxRecords(shape: TreeShape, depth: number): number {
  const space = shape.nodeSize - overhead;
  if (depth === 0) return Math.floor(space / shape.recordSize);
  const pointer = 8 + widthOf(maxRecords(shape, 0)) + (depth > 1 ? widthOf(allRecords(shape, depth - 1)) : 0);
  return Math.floor((space - pointer) / (shape.recordSize + pointer));
}

/** Number of records that a node and those below it can hold. */
function allRecords(shape: TreeShape, depth: number): number {
  const own = maxRecords(shape, depth);
  return depth === 0 ? own : (own + 1) * allRecords(shape, depth - 1) + own;
}

/** Number of bytes for numbers up to a limit. */
function widthOf(limit: number): number {
  return Math.max(1, Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1);
}
