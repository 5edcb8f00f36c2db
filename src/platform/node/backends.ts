// The tfjs backends that Node can run. Importing this file loads none of them.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { env, setBackend } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';
import type { BackendLoader } from '../../core/platform.ts';
import { withMemoryType } from '../../engines/kernels/memoryType.ts';

const wasmPackage = '@tensorflow/tfjs-backend-wasm';
const cpuPackage = '@tensorflow/tfjs-backend-cpu';

/** Backends for Node, best first. */
export const nodeBackends: readonly BackendLoader[] = [
  { name: 'wasm', packageName: wasmPackage, load: loadWasm, starts: true },
  { name: 'cpu', packageName: cpuPackage, load: loadCpu },
];

async function loadCpu(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-cpu');
  } catch (cause) {
    throw importFailure(cpuPackage, cause);
  }
}

async function loadWasm(): Promise<void> {
  const { setWasmPaths } = await importWasm();
  const folder = binariesFolder();
  if (folder !== undefined) {
    const shared = sharedBinary(folder);
    if (shared !== undefined) {
      const address = `data:application/wasm;base64,${Buffer.from(shared).toString('base64')}`;
      setWasmPaths({ ...pathsIn(folder), [simdBinary]: address }, true);
      await withoutFetch(address, shared, startWasm);
      return;
    }
    setWasmPaths(folder);
  }
  await startWasm();
}

async function importWasm() {
  try {
    return await import('@tensorflow/tfjs-backend-wasm');
  } catch (cause) {
    throw importFailure(wasmPackage, cause);
  }
}

/** Started here, because the effects of its start-up code on Node must be removed. */
async function startWasm(): Promise<void> {
  await withoutNewListeners(() => setBackend('wasm'));
}

const simdBinary = 'tfjs-backend-wasm-simd.wasm';

function pathsIn(folder: string): Record<string, string> {
  const names = ['tfjs-backend-wasm.wasm', simdBinary, 'tfjs-backend-wasm-threaded-simd.wasm'];
  return Object.fromEntries(names.map((name) => [name, folder + name]));
}

/**
 * tfjs's single-threaded binary, changed to use memory that threads can share: the kernels of this package then use all
 * cores. Its own multi-threaded binary does not start in Node. Undefined for a binary that cannot be changed, and where
 * Node runs without fetch, with which tfjs loads it.
 */
function sharedBinary(folder: string): Uint8Array<ArrayBuffer> | undefined {
  return typeof Response === 'undefined' ? undefined : withMemoryType(readFileSync(folder + simdBinary), true);
}

/** The app may have its own fetch, which may refuse a `data:` address; tfjs would not notice the failure. */
async function withoutFetch(
  address: string,
  binary: Uint8Array<ArrayBuffer>,
  start: () => Promise<void>,
): Promise<void> {
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

/** The folder of the .wasm files: in their package, or next to a bundle, where tfjs looks too. */
function binariesFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(wasmPackage)) + sep;
  } catch {
    // A CommonJS bundle knows its folder, an ES module bundle its address.
    const folder = (typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url))) + sep;
    return existsSync(folder + simdBinary) ? folder : undefined;
  }
}

/**
 * Emscripten's start-up code listens for uncaught errors and unhandled rejections of the whole process. It throws them
 * again from minified source and overrules the app's own handlers. These listeners are removed again.
 */
async function withoutNewListeners(start: () => Promise<unknown>): Promise<void> {
  const errors = process.listeners('uncaughtException');
  const rejections = process.listeners('unhandledRejection');
  await start();
  for (const listener of process.listeners('uncaughtException')) {
    if (!errors.includes(listener) && isEmscripten(listener)) process.removeListener('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (!rejections.includes(listener) && isEmscripten(listener))
      process.removeListener('unhandledRejection', listener);
  }
}

function isEmscripten(listener: (...values: never[]) => unknown): boolean {
  return /ExitStatus|throw reason/.test(listener.toString());
}
