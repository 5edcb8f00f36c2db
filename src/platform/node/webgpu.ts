// Starts tfjs's webgpu backend in Node, on the WebGPU of the npm package webgpu (Dawn).
import { setBackend } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';

interface Gpu {
  requestAdapter(): Promise<object | null>;
}

/** Of the process: its devices end where nothing refers to it any more. */
let gpu: Gpu | undefined;

/** Starts the backend. Raises MissingPackage, or an error whose message is the reason. */
export async function startWebgpu(): Promise<void> {
  const { create, globals } = await importDawn();
  gpu ??= create([]);
  for (const [name, value] of Object.entries<unknown>({ ...globals })) {
    if (!(name in globalThis)) Reflect.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  await asOfNavigator(gpu, start);
}

async function importDawn(): Promise<{
  readonly create: (flags: string[]) => Gpu;
  readonly globals: object;
}> {
  try {
    return await import('webgpu');
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes('dawn.node')) {
      throw new Error(`the package webgpu has no binary that runs on this machine (${cause.message})`, { cause });
    }
    throw importFailure('webgpu', cause);
  }
}

async function start(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-webgpu', cause);
  }
  // Checked here because tfjs assumes that there is an adapter.
  if (((await gpu?.requestAdapter()) ?? null) === null) {
    throw new Error('there is no WebGPU adapter on this machine (on Linux it takes a driver for Vulkan)');
  }
  await setBackend('webgpu');
}

/** Runs work with `navigator.gpu`, where tfjs looks while it starts. It stays no longer: other code would take Node for a page. */
async function asOfNavigator(value: Gpu, work: () => Promise<void>): Promise<void> {
  const present: unknown = Reflect.get(globalThis, 'navigator');
  const isObject = typeof present === 'object' && present !== null;
  const [owner, name, property]: [object, string, unknown] = isObject
    ? [present, 'gpu', value]
    : [globalThis, 'navigator', { gpu: value }];
  Reflect.defineProperty(owner, name, { value: property, configurable: true, writable: true });
  try {
    await work();
  } finally {
    Reflect.deleteProperty(owner, name);
  }
}
