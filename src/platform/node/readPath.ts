// Reads a file, a device or a pipe into memory, up to a limit and until the signal aborts.
import { constants, openSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { defaultMaxBytes, type ReadOptions } from '../../core/platform.ts';
import { allocate, makeBody, tooBig, type Body } from '../../download/body.ts';
import { homeAdvice } from './homePath.ts';

type Limits = Pick<ReadOptions, 'signal' | 'maxBytes'>;

const pieceBytes = 2 ** 20;

/**
 * Reads the bytes of a path.
 *
 * @throws TransferKitError `NOT_FOUND` with the reason, `ABORTED`, `OUT_OF_RANGE` above `maxBytes`.
 */
export async function readPath(path: string, { signal, maxBytes = defaultMaxBytes }: Limits = {}): Promise<Uint8Array> {
  try {
    signal?.throwIfAborted();
    const stats = await stat(path);
    if (stats.isFIFO()) return await readPipe(path, maxBytes, signal);
    if (stats.isFile() && stats.size > maxBytes) throw tooBig(path, stats.size, maxBytes, 'it has');
    const file = await open(path, 'r');
    try {
      // Some system files report no length until they are read.
      const isMeasured = stats.isFile() && stats.size > 0;
      return isMeasured
        ? await readFile(file, path, stats.size, signal)
        : await readDevice(file, path, maxBytes, signal);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isTransferKitError(cause)) throw cause;
    if (signal?.aborted === true) {
      throw new TransferKitError('ABORTED', `reading ${path} was stopped by its signal.`, { path }, cause);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected a readable file at ${path}, but: ${reason}. Check the path; relative ones start at ${process.cwd()}.${await homeAdvice(path)}`;
    throw new TransferKitError('NOT_FOUND', text, { path, reason }, cause);
  }
}

async function readFile(
  file: FileHandle,
  path: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = allocate(path, size);
  for (let length = 0; length < size;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(bytes, length, Math.min(size - length, 16 * pieceBytes));
    if (bytesRead === 0) return bytes.subarray(0, length); // another process truncated the file
    length += bytesRead;
  }
  return bytes;
}

async function readDevice(
  file: FileHandle,
  path: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const body = makeBody(path, maxBytes, 'it has');
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await file.read(new Uint8Array(pieceBytes), 0, pieceBytes);
    if (bytesRead === 0) return body.joined();
    body.append(buffer.subarray(0, bytesRead));
  }
}

/** Opening and reading a pipe blocks until another process writes to it. As a socket it can be aborted. */
async function readPipe(path: string, maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const body: Body = makeBody(path, maxBytes, 'it has');
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const stop = (): void => {
    socket.destroy(new Error('stopped by its signal'));
  };
  signal?.addEventListener('abort', stop);
  try {
    // Leaving the loop destroys the socket, which closes the file.
    for await (const piece of socket) body.append(bytesOf(piece));
    return body.joined();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError('a pipe gave something else than bytes');
}
