// Reads the names of an old group: a tree of tables, and a heap of names (specification, III.A, III.B, III.D).
import { cursorOn, textOf, type Cursor } from './cursor.ts';
import { damaged } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';
import type { Link } from './link.ts';
import { walkTree } from './oldTree.ts';

/** Reads the tree and the heap that a symbol table message names. */
export function readSymbolTable(file: FileBytes, message: Cursor): ReadonlyMap<string, Link> {
  const [tree, heap] = [message.address(), message.address()];
  const names = readLocalHeap(file, heap);
  const links = new Map<string, Link>();
  walkTree(file, tree, { type: 0, keySize: 8 }, (_, address) => {
    for (const [name, link] of readTable(file, address, names)) {
      if (links.has(name)) throw damaged(`the name '${name}' twice in one group`);
      links.set(name, link);
    }
  });
  return links;
}

type Names = (offset: number) => string;

function readLocalHeap(file: FileBytes, address: number | undefined): Names {
  const head = file.at(address, 32);
  head.signature('HEAP');
  head.skip(4);
  const size = head.number(8);
  head.skip(8);
  const bytes = file.structure(head.address(), size);
  return (offset) => {
    const end = bytes.indexOf(0, offset);
    if (offset >= size || end < 0) throw damaged('a name that is cut off');
    return textOf(bytes.subarray(offset, end));
  };
}

const entrySize = 40;

function readTable(file: FileBytes, address: number, names: Names): [string, Link][] {
  const head = file.at(address, 8);
  head.signature('SNOD');
  head.skip(2);
  const count = head.number(2);
  const entries = file.at(address + 8, count * entrySize);
  return Array.from({ length: count }, (): [string, Link] => {
    const entry = cursorOn(entries.bytes(entrySize));
    const name = names(entry.number(8));
    const target = entry.address();
    const kind = entry.number(4);
    entry.skip(4);
    if (kind === 2) return [name, { kind: 'soft', path: names(entry.number(4)) }];
    if (target === undefined) throw damaged(`a name, '${name}', that leads nowhere`);
    return [name, { kind: 'hard', address: target }];
  });
}
