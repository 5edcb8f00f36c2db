// Writes an HDF5 file of groups, datasets and texts as attributes: superblock 2, headers of version 2, links in the headers
// of their groups, values in one piece (specification 3.0: II.A, III.A, IV.A). Every HDF5 library since 1.8 reads it.
import { joinBytes } from '../../core/joinBytes.ts';
import { lookup3 } from './checksums.ts';
import { messageTypes } from './objectHeader.ts';

/** Types of values that are written, little-endian. */
type StoredType = 'float32' | 'int32';

/** A dataset: its values in row-major order, as bytes. */
export interface Hdf5Dataset {
  readonly shape: readonly number[];
  readonly type: StoredType;
  readonly bytes: Uint8Array;
}

/** A group: what its names lead to, and texts as attributes. */
export interface Hdf5Group {
  readonly links: ReadonlyMap<string, Hdf5Group | Hdf5Dataset>;
  readonly texts?: Readonly<Record<string, string>>;
}

/** Returns the pieces of a file with the given root, in order. Values are not copied. */
export function writeHdf5(root: Hdf5Group): Uint8Array[] {
  const file = emptyFile();
  const address = addGroup(file, root);
  return [superblock(address, file.end()), ...file.parts];
}

/** A file that grows after its superblock. */
interface GrowingFile {
  readonly parts: Uint8Array[];
  /** Appends bytes at a multiple of eight, and returns their address. */
  add(bytes: Uint8Array): number;
  end(): number;
}

const superblockSize = 48;

function emptyFile(): GrowingFile {
  const parts: Uint8Array[] = [];
  let end = superblockSize;
  return {
    parts,
    add(bytes) {
      const address = end;
      const gap = (8 - (bytes.length % 8)) % 8;
      parts.push(bytes, new Uint8Array(gap));
      end += bytes.length + gap;
      return address;
    },
    end: () => end,
  };
}

const unused = numberBytes(2n ** 64n - 1n, 8);

function superblock(root: number, end: number): Uint8Array {
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  // Version, sizes of addresses and of lengths, flags; base, extension, end, root.
  const start = [...signature, 2, 8, 8, 0];
  return withChecksum(joinBytes([bytes(start), numberBytes(0, 8), unused, numberBytes(end, 8), numberBytes(root, 8)]));
}

function addGroup(file: GrowingFile, { links, texts = {} }: Hdf5Group): number {
  const targets = [...links].map(([name, target]) => {
    return link(name, 'links' in target ? addGroup(file, target) : addDataset(file, target));
  });
  const attributes = Object.entries(texts).map(([name, text]) => attribute(name, text));
  // Without a heap and a tree: all links are in this header.
  const info: Message = [messageTypes.linkInfo, joinBytes([bytes([0, 0]), unused, unused])];
  return file.add(header([info, [groupInfo, bytes([0, 0])], ...targets, ...attributes]));
}

function addDataset(file: GrowingFile, { shape, type, bytes: values }: Hdf5Dataset): number {
  const address = file.add(values);
  return file.add(
    header([
      [messageTypes.dataspace, dataspace(shape)],
      [messageTypes.datatype, datatypes[type]],
      // Space is allocated late, and no value is filled in.
      [fillValue, bytes([3, 0x0a])],
      // Version 3, contiguous.
      [messageTypes.layout, joinBytes([bytes([3, 1]), numberBytes(address, 8), numberBytes(values.length, 8)])],
    ]),
  );
}

type Message = readonly [type: number, body: Uint8Array];

const fillValue = 0x05;
const groupInfo = 0x0a;

function header(messages: readonly Message[]): Uint8Array {
  const body = joinBytes(
    messages.flatMap(([type, content]) => [bytes([type]), numberBytes(content.length, 2), bytes([0]), content]),
  );
  // Version 2; the length of the messages has four bytes.
  return withChecksum(joinBytes([encode('OHDR'), bytes([2, 2]), numberBytes(body.length, 4), body]));
}

/** A hard link with a name in UTF-8, whose length has two bytes. */
function link(name: string, address: number): Message {
  const text = encode(name);
  const body = [bytes([1, 0x11, 1]), numberBytes(text.length, 2), text, numberBytes(address, 8)];
  return [messageTypes.link, joinBytes(body)];
}

/** A single text in UTF-8. */
function attribute(name: string, text: string): Message {
  const [key, value] = [encode(`${name}\0`), encode(text === '' ? '\0' : text)];
  const type = joinBytes([bytes([0x13, 0x11, 0, 0]), numberBytes(value.length, 4)]);
  const space = dataspace([]);
  const sizes = [key, type, space].map(({ length }) => numberBytes(length, 2));
  return [messageTypes.attribute, joinBytes([bytes([3, 0]), ...sizes, bytes([1]), key, type, space, value])];
}

function dataspace(shape: readonly number[]): Uint8Array {
  const kind = shape.length === 0 ? 0 : 1;
  return joinBytes([bytes([2, shape.length, 0, kind]), ...shape.map((axis) => numberBytes(axis, 8))]);
}

const datatypes: Readonly<Record<StoredType, Uint8Array>> = {
  // Sign at bit 31; 32 bits from 0; exponent of 8 bits at 23, mantissa of 23 bits at 0; bias 127.
  float32: joinBytes([
    ...[bytes([0x11, 0x20, 31, 0]), numberBytes(4, 4), numberBytes(0, 2), numberBytes(32, 2)],
    ...[bytes([23, 8, 0, 23]), numberBytes(127, 4)],
  ]),
  // Signed; 32 bits from 0.
  int32: joinBytes([bytes([0x10, 8, 0, 0]), numberBytes(4, 4), numberBytes(0, 2), numberBytes(32, 2)]),
};

function withChecksum(content: Uint8Array): Uint8Array {
  return joinBytes([content, numberBytes(lookup3(content), 4)]);
}

function bytes(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A whole number, little-endian. */
function numberBytes(value: number | bigint, size: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(view.buffer, 0, size);
}
