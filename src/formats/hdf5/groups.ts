// Reads the links of a group: names and their targets. Old groups list them in a tree of tables, newer ones in messages
// of their header or, where there are many, in a heap (specification, III.A and IV.A.2.c, f, g).
import type { Link } from './link.ts';
import { heapRecords } from './denseStorage.ts';
import { cursorOn } from './cursor.ts';
import { damaged } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';
import { messageTypes, type Message } from './objectHeader.ts';
import { readSymbolTable } from './symbolTable.ts';

/** Returns the links of a group; undefined when the header is not that of a group. */
export function readLinks(file: FileBytes, messages: readonly Message[]): ReadonlyMap<string, Link> | undefined {
  const table = messages.find(({ type }) => type === messageTypes.symbolTable);
  if (table !== undefined) return readSymbolTable(file, cursorOn(table.body));
  const info = messages.find(({ type }) => type === messageTypes.linkInfo);
  const own = messages.filter(({ type }) => type === messageTypes.link);
  if (info === undefined && own.length === 0) return undefined;
  const links = new Map<string, Link>();
  for (const body of [...own.map((message) => message.body), ...denseLinks(file, info)]) {
    const [name, link] = readLink(body);
    if (links.has(name)) throw damaged(`the name '${name}' twice in one group`);
    links.set(name, link);
  }
  return links;
}

function denseLinks(file: FileBytes, info: Message | undefined): readonly Uint8Array[] {
  if (info === undefined) return [];
  const cursor = cursorOn(info.body);
  cursor.skip(1);
  if ((cursor.number(1) & 1) !== 0) cursor.skip(8);
  return heapRecords(file, { heap: cursor.address(), tree: cursor.address(), type: 5 });
}

function readLink(body: Uint8Array): [string, Link] {
  const cursor = cursorOn(body);
  if (cursor.number(1) !== 1) throw damaged('a link of a version that is not known');
  const flags = cursor.number(1);
  const type = (flags & 8) === 0 ? 0 : cursor.number(1);
  if ((flags & 4) !== 0) cursor.skip(8);
  if ((flags & 16) !== 0) cursor.skip(1);
  const name = cursor.text(cursor.number(2 ** (flags & 3)));
  if (type === 0) {
    const address = cursor.address();
    if (address === undefined) throw damaged(`a name, '${name}', that leads nowhere`);
    return [name, { kind: 'hard', address }];
  }
  const text = cursor.bytes(cursor.number(2));
  if (type === 1) return [name, { kind: 'soft', path: new TextDecoder().decode(text) }];
  return [name, { kind: 'elsewhere', what: type === 64 ? externalLink(text) : `a link of kind ${String(type)}` }];
}

/** A version, then file and object, each terminated by NUL. */
function externalLink(text: Uint8Array): string {
  const [file = ''] = new TextDecoder().decode(text.subarray(1)).split('\0');
  return `an external link to the file '${file.slice(0, 100)}'`;
}
