// Starts tfjs's wasm backend from bytes: no file is looked for, and no thread of tfjs's own is started. Its binary for one
// thread runs on shared memory too, where threads of this package share the work.
import { inflateSync } from 'fflate';
import { env } from '@tensorflow/tfjs-core';
import { bytesOfBase64 } from '../../core/base64.ts';
import { withMemoryType } from '../kernels/memoryType.ts';

/** The parts of `@tensorflow/tfjs-backend-wasm` that are used. */
export interface WasmPackage {
  readonly version_wasm: string;
  readonly setWasmPaths: (paths: Record<string, string>, usePlatformFetch: boolean) => void;
}

/** The name that tfjs asks for where WebAssembly has SIMD. */
export const simdBinary = 'tfjs-backend-wasm-simd.wasm';

const emptyModule = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Not a place: tfjs's request for it is answered from memory. */
const address = `transferkit:${simdBinary}`;

/**
 * Returns the binary that this package carries.
 *
 * @param version - The installed version of tfjs's package, which must have the same binary.
 * @throws Error with the remedy for another version.
 */
export async function carriedBinary(version: string): Promise<Uint8Array> {
  const carried = await import('./tfjsBinary.ts');
  if (version !== carried.version) {
    throw new Error(
      `transferkit carries the binary of @tensorflow/tfjs-backend-wasm ${carried.version}, but ${version} is installed; ` +
        `install ${carried.version}, or give the address of your version's ${simdBinary}: ` +
        `useBackend('wasm', { binary: '/${simdBinary}' })`,
    );
  }
  return inflateSync(bytesOfBase64(carried.packed), { out: new Uint8Array(carried.size) });
}

/**
 * Starts the backend.
 *
 * @param binary - Of {@link simdBinary}.
 * @param shared - Whether threads may share its memory.
 * @param start - Sets the backend.
 */
export async function startFrom(
  binary: Uint8Array,
  shared: boolean,
  { setWasmPaths }: WasmPackage,
  start: () => Promise<unknown>,
): Promise<void> {
  // tfjs never ends when its binary is not one, or when the policy of the page forbids to compile any.
  const typed = withMemoryType(binary, shared) ?? Uint8Array.from(binary);
  if (!WebAssembly.validate(typed)) throw new Error(`the bytes for ${simdBinary} are not those of tfjs's binary`);
  await WebAssembly.compile(emptyModule);
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  // tfjs wants a place for each of its binaries, and takes the one for SIMD without threads.
  const paths = ['tfjs-backend-wasm.wasm', simdBinary, 'tfjs-backend-wasm-threaded-simd.wasm'];
  setWasmPaths(Object.fromEntries(paths.map((path) => [path, address])), true);
  await answering(typed, start);
}

/** The app may have a fetch of its own: only the request for the binary is answered here. */
async function answering(binary: Uint8Array<ArrayBuffer>, start: () => Promise<unknown>): Promise<void> {
  const { platform } = env();
  const fetchOthers = platform.fetch.bind(platform);
  platform.fetch = (path, options) =>
    path === address ? Promise.resolve(new Response(binary)) : fetchOthers(path, options);
  try {
    await start();
  } finally {
    platform.fetch = fetchOthers;
  }
}
