// The tfjs backends that Node can run. Importing this file loads none of them.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import type { BackendLoader } from '../core/platform.ts';

const wasmPackage = '@tensorflow/tfjs-backend-wasm';
const cpuPackage = '@tensorflow/tfjs-backend-cpu';

/** Backends for Node, best first. */
export const nodeBackends: readonly BackendLoader[] = [
  { name: 'wasm', packageName: wasmPackage, load: loadWasm },
  { name: 'cpu', packageName: cpuPackage, load: loadCpu },
];

async function loadCpu(): Promise<void> {
  await import('@tensorflow/tfjs-backend-cpu');
}

async function loadWasm(): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const folder = binariesFolder();
  if (folder !== undefined) setWasmPaths(folder);
  // Started here, because only here it is known that Node needs cleaning up after it.
  await withoutNewListeners(() => setBackend('wasm'));
}

/** Where the package keeps its .wasm files. A bundle may have left the package behind: then tfjs's own guess stands. */
function binariesFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(wasmPackage)) + sep;
  } catch {
    return undefined;
  }
}

/**
 * Emscripten's start-up code makes every uncaught error and unhandled rejection of the whole process its own, throws it
 * again from minified source and overrules the app's own handlers. They are taken off again.
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
