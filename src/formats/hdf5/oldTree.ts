// Walks version 1 B-trees, which list the tables of a group or the chunks of a dataset (specification, III.A.1).
import { cursorOn, type Cursor } from './cursor.ts';
import { damaged } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';

/** Content of a tree: 0 tables of a group, 1 chunks. */
export interface TreeKind {
  readonly type: 0 | 1;
  readonly keySize: number;
}

/**
 * Visits the leaves of a tree in order, each with the key before it.
 *
 * The level falls by one from node to node, and no node is read twice, so that damaged trees end.
 */
export function walkTree(
  file: FileBytes,
  root: number | undefined,
  { type, keySize }: TreeKind,
  visit: (key: Cursor, address: number) => void,
): void {
  const seen = new Set<number>();
  const walk = (address: number | undefined, expected: number | undefined): void => {
    if (address === undefined || seen.has(address)) throw damaged('a tree that leads in circles');
    seen.add(address);
    const head = file.at(address, 24);
    head.signature('TREE');
    if (head.number(1) !== type) throw damaged('a tree of another kind');
    const level = head.number(1);
    if (expected !== undefined && level !== expected) throw damaged('a tree whose levels do not fit');
    const count = head.number(2);
    const entries = file.at(address + 24, count * (keySize + 8));
    for (let i = 0; i < count; i++) {
      const key = cursorOn(entries.bytes(keySize));
      const child = entries.address();
      if (level > 0) walk(child, level - 1);
      else if (child === undefined) throw damaged('a tree that leads nowhere');
      else visit(key, child);
    }
  };
  walk(root, undefined);
}
