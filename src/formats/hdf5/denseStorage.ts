// Reads the links and attributes of newer files that have many: they are stored in a heap, and a tree lists their
// places.
import { newTreeRecords } from './newTree.ts';
import { cursorOn } from './cursor.ts';
import { openHeap } from './fractalHeap.ts';
import { damaged } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';

/** A heap and the tree that lists it. */
export interface DenseStorage {
  readonly heap: number | undefined;
  readonly tree: number | undefined;
  /** 5: links by name; 8: attributes by name. */
  readonly type: 5 | 8;
}

/** Bytes before the heap position in a record: links have a hash there. */
const before = { 5: 4, 8: 0 };
const placeSize = { 5: 7, 8: 8 };

/** Returns the objects in the heap, in the order of the tree; nothing when there is no heap. */
export function heapRecords(file: FileBytes, { heap, tree, type }: DenseStorage): readonly Uint8Array[] {
  if (heap === undefined) return [];
  const read = openHeap(file, heap);
  return newTreeRecords(file, tree, type).map((record) => {
    const cursor = cursorOn(record);
    cursor.skip(before[type]);
    const place = cursor.bytes(placeSize[type]);
    if (type === 8 && (cursor.number(1) & 2) !== 0) throw damaged('an attribute that objects share');
    return read(place);
  });
}
