// Collects the bytes of a file while they arrive. It makes one copy, in memory allocated at once when the server sends
// the length.
import { TransferKitError } from '../core/errors.ts';
import { shortAddress } from '../core/platform.ts';

/** Bytes that grow at the end. */
export interface Body {
  readonly length: number;
  /** Adds a piece; raises OUT_OF_RANGE when the limit is exceeded. */
  append(piece: Uint8Array): void;
  /** Removes all bytes and allocates memory for `expected` bytes. */
  restart(expected: number | undefined): void;
  /** Returns all bytes as one array. */
  joined(): Uint8Array;
}

/** Makes an empty body for a file at `address`; `comes` is the verb for the arrival of bytes in error texts. */
export function makeBody(address: string, maxBytes: number, comes = 'the server sent'): Body {
  let start = new Uint8Array(0);
  let filled = 0;
  /** Pieces beyond the announced length, or all of them if none was announced. */
  let more: Uint8Array[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(piece) {
      length += piece.length;
      if (length > maxBytes) throw tooBig(address, length, maxBytes, comes);
      if (more.length === 0 && filled + piece.length <= start.length) {
        start.set(piece, filled);
        filled += piece.length;
      } else {
        more.push(piece);
      }
    },
    restart(expected = 0) {
      if (expected > maxBytes) throw tooBig(address, expected, maxBytes, 'the server announces');
      start = allocate(address, expected);
      filled = 0;
      more = [];
      length = 0;
    },
    joined() {
      if (more.length === 0) return start.subarray(0, filled);
      const all = allocate(address, length);
      all.set(start.subarray(0, filled));
      let offset = filled;
      for (const piece of more) {
        all.set(piece, offset);
        offset += piece.length;
      }
      return all;
    },
  };
}

/** Allocates memory for a file; raises OUT_OF_RANGE where that is not possible. */
export function allocate(address: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    const name = shortAddress(address);
    const text = `expected a file that fits into memory at ${name}, but it has ${bytes} bytes.`;
    throw new TransferKitError('OUT_OF_RANGE', text, { address: name, bytes }, cause);
  }
}

/** The error for a file over `maxBytes`. */
export function tooBig(address: string, bytes: number, maxBytes: number, comes: string): TransferKitError {
  const name = shortAddress(address);
  return new TransferKitError(
    'OUT_OF_RANGE',
    `expected at most ${maxBytes} bytes at ${name}, but ${comes} ${bytes}. Check the address; if the file is ` +
      'meant to be that big, raise the option maxBytes.',
    { address: name, bytes, maxBytes },
  );
}
