// Reads consecutive little-endian fields; never beyond the end of its bytes.
import { damaged } from './faults.ts';

/** A position in an array of bytes. */
export interface Cursor {
  /** Number of remaining bytes. */
  readonly left: number;
  /** Reads an unsigned integer of 1 to 8 bytes. */
  number(width: number): number;
  /** Reads an address of 8 bytes; undefined for the value that means "none". */
  address(): number | undefined;
  bytes(length: number): Uint8Array;
  /** Reads UTF-8 up to the first NUL. */
  text(length: number): string;
  skip(length: number): void;
  /** Raises unless the next bytes are these letters. */
  signature(letters: string): void;
}

/** Makes a cursor at the beginning of an array of bytes. */
export function cursorOn(data: Uint8Array): Cursor {
  let at = 0;
  const bytes = (length: number): Uint8Array => {
    if (length > data.length - at) throw damaged('a structure that is cut off');
    at += length;
    return data.subarray(at - length, at);
  };
  const number = (width: number): number => {
    const field = bytes(width);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (field[i] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) throw damaged('a number that is impossible');
    return value;
  };
  return {
    get left() {
      return data.length - at;
    },
    number,
    address: () => {
      const here = bytes(8);
      if (here.every((byte) => byte === 0xff)) return undefined;
      at -= 8;
      return number(8);
    },
    bytes,
    text: (length) => textOf(bytes(length)),
    skip: (length) => void bytes(length),
    signature: (letters) => {
      const found = String.fromCharCode(...bytes(letters.length));
      if (found !== letters) throw damaged(`no '${letters}' where one should be`);
    },
  };
}

const decoder = new TextDecoder();

/** Decodes UTF-8 up to the first NUL. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
