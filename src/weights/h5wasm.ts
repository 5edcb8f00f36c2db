// The package h5wasm, which reads HDF5 files: optional, loaded on first use or handed in.
import { TransferKitError } from '../core/errors.ts';

/** What is used of the package h5wasm: its module, or its default export. */
export interface H5wasm {
  readonly ready: Promise<{
    readonly FS: {
      writeFile(path: string, data: Uint8Array, options: object): void;
      unlink(path: string): unknown;
    };
  }>;
  readonly File: new (path: string, mode: 'r') => H5wasmFile;
}

/** An open file. */
export interface H5wasmFile {
  get(path: string): unknown;
  close(): unknown;
}

/**
 * The package h5wasm.
 *
 * @param given - The package, for programs whose bundler does not find it by itself.
 * @throws TransferKitError `PACKAGE_MISSING`.
 */
export async function loadH5wasm(given: H5wasm | undefined): Promise<H5wasm> {
  if (given !== undefined) return given;
  try {
    return await import('h5wasm');
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new TransferKitError(
      'PACKAGE_MISSING',
      `loadBase: expected the package h5wasm, which reads Keras files (.h5, .keras), but it does not load: ${reason}. ` +
        'Install it: npm install h5wasm. Or hand it in: loadBase(source, { h5wasm: await import("h5wasm") }).',
      { packageName: 'h5wasm', reason },
      cause,
    );
  }
}
