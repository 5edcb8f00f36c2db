// Reads the attributes of a group or dataset, and the texts in them (specification, IV.A.2.m, v).
import { cursorOn, textOf } from './cursor.ts';
import { readDataspace, readDatatype, type Datatype } from './datatype.ts';
import { heapRecords } from './denseStorage.ts';
import { damaged, unsupported } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';
import { readSharedDatatype, messageTypes, type Message } from './objectHeader.ts';

/** An attribute. */
export interface Attribute {
  readonly type: Datatype;
  /** Number of values. */
  readonly count: number;
  readonly data: Uint8Array;
}

/** Reads attributes by name. */
export function readAttributes(file: FileBytes, messages: readonly Message[]): ReadonlyMap<string, Attribute> {
  const own = messages.filter(({ type }) => type === messageTypes.attribute).map(({ body }) => body);
  const info = messages.find(({ type }) => type === messageTypes.attributeInfo);
  const attributes = new Map<string, Attribute>();
  for (const body of [...own, ...denseAttributes(file, info)]) {
    const [name, attribute] = readAttribute(file, body);
    if (attributes.has(name)) throw damaged(`the attribute '${name}' twice`);
    attributes.set(name, attribute);
  }
  return attributes;
}

function denseAttributes(file: FileBytes, info: Message | undefined): readonly Uint8Array[] {
  if (info === undefined) return [];
  const cursor = cursorOn(info.body);
  cursor.skip(1);
  if ((cursor.number(1) & 1) !== 0) cursor.skip(2);
  return heapRecords(file, { heap: cursor.address(), tree: cursor.address(), type: 8 });
}

function readAttribute(file: FileBytes, body: Uint8Array): [string, Attribute] {
  const cursor = cursorOn(body);
  const version = cursor.number(1);
  if (version < 1 || version > 3) throw unsupported('an attribute of a version that is not known');
  const flags = cursor.number(1);
  const sizes = [cursor.number(2), cursor.number(2), cursor.number(2)].map((size) =>
    version === 1 ? Math.ceil(size / 8) * 8 : size,
  );
  if (version === 3) cursor.skip(1);
  const [nameSize = 0, typeSize = 0, spaceSize = 0] = sizes;
  const name = cursor.text(nameSize);
  const [type, space] = [cursor.bytes(typeSize), cursor.bytes(spaceSize)];
  if (version > 1 && (flags & 2) !== 0) throw unsupported('shapes that objects share');
  const isShared = version > 1 && (flags & 1) !== 0;
  const datatype = readDatatype(isShared ? readSharedDatatype(file, type) : type);
  const shape = readDataspace(space);
  const count = shape === undefined ? 0 : shape.reduce((product, axis) => product * axis, 1);
  // Also true when the product is NaN.
  if (!(count * datatype.size <= cursor.left)) throw damaged(`an attribute, '${name}', that is cut off`);
  return [name, { type: datatype, count, data: cursor.bytes(count * datatype.size) }];
}

/** The texts of an attribute; none for one of another type, which an empty list has too. */
export function textsOf(file: FileBytes, { type, count, data }: Attribute, heaps: Heaps): string[] {
  if (type.kind === 'text') {
    return Array.from({ length: count }, (_, i) => textOf(data.subarray(i * type.size, (i + 1) * type.size)));
  }
  if (type.kind !== 'longText') return [];
  const cursor = cursorOn(data);
  return Array.from({ length: count }, () => {
    const [length, address, index] = [cursor.number(4), cursor.address(), cursor.number(4)];
    if (length === 0 || address === undefined) return '';
    const text = heapAt(file, address, heaps).get(index);
    if (text === undefined || text.length < length) throw damaged('a text that is not where it should be');
    return textOf(text.subarray(0, length));
  });
}

/** Heaps that have already been read, by address. */
export type Heaps = Map<number, ReadonlyMap<number, Uint8Array>>;

/** The texts of a heap by number (specification, III.E). */
function heapAt(file: FileBytes, address: number, heaps: Heaps): ReadonlyMap<number, Uint8Array> {
  const known = heaps.get(address);
  if (known !== undefined) return known;
  const head = file.at(address, 16);
  head.signature('GCOL');
  head.skip(4);
  const size = head.number(8);
  if (size < 16) throw damaged('a heap of an impossible size');
  const cursor = file.at(address + 16, size - 16);
  const objects = new Map<number, Uint8Array>();
  while (cursor.left >= 16) {
    const index = cursor.number(2);
    cursor.skip(6);
    const length = cursor.number(8);
    if (index === 0) break; // free space
    objects.set(index, cursor.bytes(length));
    cursor.skip(Math.min(cursor.left, (8 - (length % 8)) % 8));
  }
  heaps.set(address, objects);
  return objects;
}
