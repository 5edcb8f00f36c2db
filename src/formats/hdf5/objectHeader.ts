// Reads the header of a group or dataset: a list of messages, in blocks anywhere in the file (specification, IV.A).
import { cursorOn, type Cursor } from './cursor.ts';
import { damaged, unsupported } from './faults.ts';
import { withoutChecksum, type FileBytes } from './fileBytes.ts';

/** Types of messages. */
export const messageTypes = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** One message. */
export interface Message {
  readonly type: number;
  /** Whether the body is only a reference to the message. */
  readonly isShared: boolean;
  readonly body: Uint8Array;
}

/** Reads the messages of the header at an address. */
export function readHeader(file: FileBytes, address: number): Message[] {
  return readMessages(file, address).map((message) => (message.isShared ? resolve(file, message) : message));
}

function readMessages(file: FileBytes, address: number): Message[] {
  const isNew = String.fromCharCode(...file.structure(address, 4)) === 'OHDR';
  return isNew ? readNew(file, address) : readOld(file, address);
}

type Split = (block: Cursor) => Message[];

function readOld(file: FileBytes, address: number): Message[] {
  const prefix = file.at(address, 16);
  if (prefix.number(1) !== 1) throw damaged('no header of a group or dataset');
  prefix.skip(7);
  const split: Split = (block) => {
    const found: Message[] = [];
    while (block.left >= 8) {
      const [type, length, flags] = [block.number(2), block.number(2), block.number(1)];
      block.skip(3);
      found.push({ type, isShared: (flags & 2) !== 0, body: block.bytes(length) });
    }
    return found;
  };
  return withContinuations(split(file.at(address + 16, prefix.number(4))), (at, length) => split(file.at(at, length)));
}

function readNew(file: FileBytes, address: number): Message[] {
  const prefix = file.at(address, 6);
  prefix.skip(4);
  if (prefix.number(1) !== 2) throw unsupported('a header of a version that is not known');
  const flags = prefix.number(1);
  const skipped = ((flags & 0x20) === 0 ? 0 : 16) + ((flags & 0x10) === 0 ? 0 : 4);
  const width = 2 ** (flags & 3);
  const length = cursorOn(file.structure(address + 6 + skipped, width)).number(width);
  const first = file.checked(address, 6 + skipped + width + length + 4);
  first.skip(6 + skipped + width);
  const head = (flags & 4) === 0 ? 4 : 6;
  const split: Split = (block) => {
    const found: Message[] = [];
    while (block.left >= head) {
      const [type, size, bits] = [block.number(1), block.number(2), block.number(1)];
      block.skip(head - 4);
      found.push({ type, isShared: (bits & 2) !== 0, body: block.bytes(size) });
    }
    return found;
  };
  return withContinuations(split(first), (at, size) => {
    const block = cursorOn(withoutChecksum(file.structure(at, size)));
    block.signature('OCHK');
    return split(block);
  });
}

/** Returns all messages; no block is read twice. */
function withContinuations(first: readonly Message[], read: (address: number, length: number) => Message[]): Message[] {
  const all = [...first];
  const seen = new Set<number>();
  // The list grows during the loop.
  for (const { type, body } of all) {
    if (type !== messageTypes.continuation) continue;
    const place = cursorOn(body);
    const [address, length] = [place.address(), place.number(8)];
    if (address === undefined || seen.has(address)) throw damaged('a header that goes on in itself');
    seen.add(address);
    for (const message of read(address, length)) all.push(message);
  }
  return all;
}

/** Resolves a message that is stored in the header of a named datatype. */
function resolve(file: FileBytes, { type, body }: Message): Message {
  const place = cursorOn(body);
  const version = place.number(1);
  const kind = place.number(1);
  if (version > 3 || (version === 3 && kind !== 2)) throw unsupported('messages in a heap that objects share');
  if (version === 1) place.skip(6);
  const address = place.address();
  if (address === undefined) throw damaged('a datatype that is nowhere');
  const found = readMessages(file, address).find((each) => each.type === type);
  if (found === undefined || found.isShared) throw damaged('a datatype that is nowhere');
  return found;
}

/** Returns the datatype message that a reference in an attribute names. */
export function readSharedDatatype(file: FileBytes, reference: Uint8Array): Uint8Array {
  return resolve(file, { type: messageTypes.datatype, isShared: true, body: reference }).body;
}
