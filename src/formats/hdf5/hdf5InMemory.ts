// Bytes in memory as an HDF5 file.
import type { Hdf5Storage } from '../../core/hdf5Storage.ts';

/**
 * Makes an HDF5 file from bytes, without a copy.
 *
 * @param bytes - Must not change.
 */
export function hdf5InMemory(bytes: Uint8Array): Hdf5Storage {
  return {
    head: bytes,
    size: bytes.length,
    open: () => ({
      read: (offset, into) => {
        const found = bytes.subarray(offset, offset + into.length);
        into.set(found);
        return found.length;
      },
      close: () => undefined,
    }),
  };
}
