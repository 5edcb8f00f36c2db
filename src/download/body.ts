// The bytes of a file as they come: one copy, in memory taken at once when the server says how much it will be.
import { TransferKitError } from '../core/errors.ts';
import { shortAddress } from '../core/platform.ts';

/** Bytes that grow at their end. */
export interface Body {
  readonly length: number;
  /** Adds a piece; raises OUT_OF_RANGE when there are more than allowed. */
  append(piece: Uint8Array): void;
  /** Empties it, and takes memory for `expected` bytes. */
  restart(expected: number | undefined): void;
  /** All bytes in one piece. */
  joined(): Uint8Array;
}

/** An empty body of a file at `address`; `comes` is how an error says that bytes came. */
export function makeBody(address: string, maxBytes: number, comes = 'the server sent'): Body {
  let start = new Uint8Array(0);
  let filled = 0;
  /** What came beyond the announced length, or all of it if none was announced. */
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

/** Memory for a file; raises OUT_OF_RANGE where there is none. */
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
