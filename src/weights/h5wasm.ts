// The package h5wasm, which reads HDF5 files: optional, loaded on first use or handed in.
import { TransferKitError } from '../core/errors.ts';
import type { H5wasmFile, Hdf5Storage } from '../core/hdf5Storage.ts';

/** What is used of the package h5wasm: its module, or its default export. */
export interface H5wasm {
  readonly ready: Promise<{
    readonly FS: {
      /** Puts a file into the file system of h5wasm. */
      writeFile(path: string, data: Uint8Array, options: object): void;
      /** Takes it away. */
      unlink(path: string): unknown;
    };
  }>;
  readonly File: new (path: string, mode: 'r') => H5wasmFile;
}

/**
 * Bytes as a file that h5wasm opens in its own file system, which borrows them without a copy.
 *
 * @param bytes - Must not change.
 * @param given - The package, for programs whose bundler does not find it by itself.
 * @throws TransferKitError `PACKAGE_MISSING`.
 */
export async function hdf5InMemory(bytes: Uint8Array, given: H5wasm | undefined): Promise<Hdf5Storage> {
  const h5wasm = given ?? (await importH5wasm());
  const { FS } = await h5wasm.ready;
  return {
    head: bytes,
    size: bytes.length,
    open: () => {
      const path = `/transferkit_${String(opened++)}.h5`;
      FS.writeFile(path, bytes, { canOwn: true });
      const file = new h5wasm.File(path, 'r');
      return {
        get: (place) => file.get(place),
        close: () => {
          file.close();
          FS.unlink(path);
        },
      };
    },
  };
}

let opened = 0;

async function importH5wasm(): Promise<H5wasm> {
  try {
    return await import('h5wasm');
  } catch (cause) {
    throw missing(cause);
  }
}

/**
 * What needs h5wasm, with one error when the package is missing.
 *
 * @throws TransferKitError `PACKAGE_MISSING`.
 */
export async function needH5wasm<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw missing(cause);
  }
}

function missing(cause: unknown): TransferKitError {
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new TransferKitError(
    'PACKAGE_MISSING',
    `loadBase: expected the package h5wasm, which reads Keras files (.h5, .keras), but it does not load: ${reason}. ` +
      'Install it: npm install h5wasm. Or hand it in: loadBase(source, { h5wasm: await import("h5wasm") }).',
    { packageName: 'h5wasm', reason },
    cause,
  );
}
