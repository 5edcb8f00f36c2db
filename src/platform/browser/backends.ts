// The tfjs backends that a page can run. Importing this file loads none of them.
import { env } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';
import type { BackendLoader } from '../../core/platform.ts';

/** Backends for a browser, best first. */
export const browserBackends: readonly BackendLoader[] = [
  { name: 'webgpu', packageName: '@tensorflow/tfjs-backend-webgpu', load: loadWebgpu },
  { name: 'webgl', packageName: '@tensorflow/tfjs-backend-webgl', load: loadWebgl },
  { name: 'wasm', packageName: '@tensorflow/tfjs-backend-wasm', load: loadWasm },
  { name: 'cpu', packageName: '@tensorflow/tfjs-backend-cpu', load: loadCpu },
];

async function loadWebgpu(): Promise<void> {
  // Checked here because tfjs assumes that there is an adapter.
  const gpu: unknown = 'gpu' in navigator ? navigator.gpu : undefined;
  if (!hasAdapters(gpu))
    throw new Error('this browser has no WebGPU here (it needs a recent browser and a secure page)');
  if ((await gpu.requestAdapter()) === null) throw new Error('this browser offers no WebGPU adapter on this machine');
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-webgpu', cause);
  }
}

function hasAdapters(gpu: unknown): gpu is { requestAdapter(): Promise<unknown> } {
  return typeof gpu === 'object' && gpu !== null && 'requestAdapter' in gpu && typeof gpu.requestAdapter === 'function';
}

async function loadWebgl(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-webgl');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-webgl', cause);
  }
  if (env().getNumber('WEBGL_VERSION') === 0) throw new Error('this browser offers no WebGL on this machine');
}

async function loadWasm(): Promise<void> {
  try {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const folder = binariesFolder();
    if (folder !== undefined) setWasmPaths(folder);
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-wasm', cause);
  }
}

/**
 * The folder of the package's .wasm files when the page resolves the package itself (with an import map). In a bundle
 * tfjs looks next to the script. An app that stores them elsewhere imports the package and calls its setWasmPaths
 * before any verb.
 */
function binariesFolder(): string | undefined {
  try {
    return new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm')).href;
  } catch {
    return undefined;
  }
}

async function loadCpu(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-cpu');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-cpu', cause);
  }
}
