// What the environment must offer: the one seam between Node and browsers. Implemented in node/ and browser/, chosen by
// the package's imports map under the name #platform. Reading an address is the same in both, so it is done here.
import { TransferKitError } from './errors.ts';
import type { Picture } from './picture.ts';

/** Options of a read. */
export interface ReadOptions {
  /** Replaces the global `fetch` for addresses. */
  readonly fetch?: typeof globalThis.fetch;
  /** Cancels reading; the verb raises `ABORTED`. */
  readonly signal?: AbortSignal;
}

/** Reading bytes and decoding pictures. */
export interface Platform {
  readonly name: 'node' | 'browser';
  /** Preferred backends, best first. */
  readonly backends: readonly BackendLoader[];
  /** Reads a file (Node) or an address. Raises NOT_FOUND with the reason. */
  readBytes(location: string, options?: ReadOptions): Promise<Uint8Array>;
  /**
   * Decodes a picture to upright RGB. Big pictures may come back smaller, but never below `atLeast` (height, width)
   * where that is given and the picture was larger. Raises UNREADABLE.
   */
  decodePicture(source: unknown, atLeast?: readonly [number, number]): Promise<Picture>;
}

/** A tfjs backend that the platform can load. */
export interface BackendLoader {
  readonly name: string;
  /** npm package that brings it. */
  readonly packageName: string;
  /** Imports the package, so that tfjs knows the backend, and sets its paths. */
  load(): Promise<void>;
}

/** Whether a location is an address for fetch (`http:`, `https:`, `data:`, `blob:`) rather than a path. */
export function isAddress(location: string): boolean {
  return /^(https?|data|blob):/i.test(location);
}

/** An address or path short enough for an error text: a `data:` address can be megabytes long. */
export function shortAddress(location: string): string {
  return location.length <= 300 ? location : `${location.slice(0, 100)}… (${String(location.length)} characters)`;
}

/**
 * The bytes that an address gives.
 *
 * @throws TransferKitError `NOT_FOUND` with the HTTP status or the reason; `ABORTED` when the signal ends the read.
 */
export async function fetchBytes(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
  const address = shortAddress(location);
  const read = options.fetch ?? globalThis.fetch;
  const response = await read(location, options.signal === undefined ? {} : { signal: options.signal }).catch(
    (cause: unknown) => {
      throw options.signal?.aborted === true ? aborted(address, cause) : notThere(address, reasonOf(cause), cause);
    },
  );
  if (!response.ok)
    throw notThere(address, `the server answered ${`${String(response.status)} ${response.statusText}`.trim()}`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw options.signal?.aborted === true ? aborted(address, cause) : notThere(address, reasonOf(cause), cause);
  }
}

function notThere(address: string, reason: string, cause?: unknown): TransferKitError {
  const text = `expected data at ${address}, but ${reason}. Check the address and the connection.`;
  return new TransferKitError('NOT_FOUND', text, { address, reason }, cause);
}

function aborted(address: string, cause: unknown): TransferKitError {
  return new TransferKitError('ABORTED', `reading ${address} was stopped by its signal.`, { address }, cause);
}

/** fetch says "fetch failed" and hides why in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
