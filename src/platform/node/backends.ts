// The tfjs backends that Node can run. Importing this file loads none of them.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';
import type { BackendLoader } from '../../core/platform.ts';
import { carriedBinary, simdBinary, startFrom } from '../../engines/backends/tfjsWasm.ts';

const wasmPackage = '@tensorflow/tfjs-backend-wasm';
const cpuPackage = '@tensorflow/tfjs-backend-cpu';
const webgpuPackage = '@tensorflow/tfjs-backend-webgpu';

/** Backends for Node, best first. */
export const nodeBackends: readonly BackendLoader[] = [
  { name: 'wasm', packageName: wasmPackage, load: loadWasm, starts: true },
  { name: 'cpu', packageName: cpuPackage, load: loadCpu },
  { name: 'webgpu', packageName: webgpuPackage, load: loadWebgpu, starts: true, isOnlyAskedFor: true },
];

async function loadCpu(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-cpu');
  } catch (cause) {
    throw importFailure(cpuPackage, cause);
  }
}

async function loadWebgpu(): Promise<void> {
  const { startWebgpu } = await import('./webgpu.ts');
  await startWebgpu();
}

async function loadWasm(): Promise<void> {
  const wasm = await importWasm();
  const folder = binariesFolder();
  if (typeof Response === 'undefined') {
    // Node runs without fetch, with which tfjs loads bytes.
    if (folder !== undefined) wasm.setWasmPaths(folder);
    await startWasm();
    return;
  }
  const binary = folder === undefined ? await carriedBinary(wasm.version_wasm) : readFileSync(folder + simdBinary);
  await startFrom(binary, true, wasm, startWasm);
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
