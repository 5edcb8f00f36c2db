// Reads the body of a request: a bounded number of bytes, in a bounded time.
import type { IncomingMessage } from 'node:http';
import { refuse, refuseForNow, type Answer } from './answer.ts';

/** Limits of one body, and of all bodies together. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly maxSeconds: number;
  readonly memory: Memory;
}

/** A number of bytes that all requests share. */
export interface Memory {
  /** Takes bytes; false if there are not as many left. */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

/** A body that was read. Its memory has to be released. */
export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly release: () => void;
}

/** Counts bytes up to a limit. */
export function countMemory(most: number): Memory {
  let taken = 0;
  return {
    take: (bytes) => {
      if (taken + bytes > most) return false;
      taken += bytes;
      return true;
    },
    release: (bytes) => {
      taken -= bytes;
    },
  };
}

/**
 * Reads a body.
 *
 * @returns The body, a refusal, or undefined if the client hung up.
 */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, maxSeconds, memory }: BodyLimits,
): Promise<Body | Answer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const collected = collect(maxBytes, memory);
  return new Promise((resolve) => {
    const settle = (result: Body | Answer | undefined): void => {
      clearTimeout(timer);
      request.off('data', add).off('end', end).off('close', lost);
      if (result === undefined || 'status' in result) collected.release();
      resolve(result);
    };
    const add = (piece: Uint8Array): void => {
      const refusal = collected.add(piece);
      if (refusal !== undefined) settle(refusal);
    };
    const end = (): void => {
      settle({ bytes: collected.bytes(), release: collected.release });
    };
    const lost = (): void => {
      settle(undefined);
    };
    const timer = setTimeout(() => {
      const text = `expected the whole picture within ${String(maxSeconds)} seconds.`;
      settle(refuse(408, 'TIMEOUT', text));
    }, maxSeconds * 1000);
    // Without a listener an error of the connection would end the process; 'close' follows it.
    request.on('data', add).on('end', end).on('close', lost).on('error', ignore);
  });
}

interface Collected {
  /** Adds a piece, or refuses. */
  add(piece: Uint8Array): Answer | undefined;
  bytes(): Uint8Array<ArrayBuffer>;
  readonly release: () => void;
}

/** A buffer that grows with what arrives. The pieces themselves, each an object of its own, may be of one byte each. */
function collect(maxBytes: number, memory: Memory): Collected {
  let buffer = new Uint8Array(0);
  let length = 0;
  const grow = (least: number): boolean => {
    const size = Math.min(maxBytes, Math.max(least, 2 * buffer.length, 2 ** 14));
    if (!memory.take(size - buffer.length)) return false;
    const larger = new Uint8Array(size);
    larger.set(buffer.subarray(0, length));
    buffer = larger;
    return true;
  };
  return {
    add: (piece) => {
      const after = length + piece.length;
      if (after > maxBytes) return tooLarge(maxBytes);
      if (after > buffer.length && !grow(after)) {
        return refuseForNow('OVERLOADED', 'expected less to do: other pictures are being received. Try again later.');
      }
      buffer.set(piece, length);
      length = after;
      return undefined;
    },
    bytes: () => buffer.subarray(0, length),
    release: () => {
      memory.release(buffer.length);
      buffer = new Uint8Array(0);
    },
  };
}

function tooLarge(maxBytes: number): Answer {
  return refuse(
    413,
    'CONTENT_TOO_LARGE',
    `expected a picture of at most ${String(maxBytes)} bytes. Send a smaller one.`,
  );
}

function ignore(): void {
  // See its only use.
}
