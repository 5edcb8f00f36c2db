// The tfjs backends that a page can run. Importing this file loads none of them, and nothing of tfjs: a page whose worker
// computes needs none.
import type { BackendLoader } from '../../core/platform.ts';

const start = () => import('./startBackends.ts');

/** Backends for a browser, best first. */
export const browserBackends: readonly BackendLoader[] = [
  {
    name: 'webgpu',
    packageName: '@tensorflow/tfjs-backend-webgpu',
    load: async () => (await start()).loadWebgpu(),
    drawback: async () => (await start()).drawbackOfWebgpu(),
  },
  {
    name: 'webgl',
    packageName: '@tensorflow/tfjs-backend-webgl',
    load: async () => (await start()).loadWebgl(),
    drawback: async () => (await start()).drawbackOfWebgl(),
  },
  {
    name: 'wasm',
    packageName: '@tensorflow/tfjs-backend-wasm',
    load: async (binary) => (await start()).loadWasm(binary),
    starts: true,
  },
  {
    name: 'cpu',
    packageName: '@tensorflow/tfjs-backend-cpu',
    load: async () => (await start()).loadCpu(),
  },
];
