// Reads a file or an address into memory. Decodes nothing.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TransferKitError } from '../core/errors.ts';
import { fetchBytes, isAddress, type ReadOptions } from '../core/platform.ts';

/**
 * Reads a file, given by its path or a `file:` address, or what an `http:`, `https:`, `data:` or `blob:` address gives.
 *
 * @throws TransferKitError `NOT_FOUND` with the reason; `ABORTED` when the signal ends the read.
 */
export async function readBytes(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
  if (isAddress(location)) return fetchBytes(location, options);
  const path = location.startsWith('file:') ? fileURLToPath(location) : location;
  try {
    return await readFile(path, options.signal === undefined ? {} : { signal: options.signal });
  } catch (cause) {
    if (options.signal?.aborted === true) {
      throw new TransferKitError('ABORTED', `reading ${path} was stopped by its signal.`, { path }, cause);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected a readable file at ${path}, but: ${reason}. Check the path; relative ones start at ${process.cwd()}.`;
    throw new TransferKitError('NOT_FOUND', text, { path, reason }, cause);
  }
}
