// Starts tfjs's webgpu backend in Node, on the WebGPU of the npm package webgpu (Dawn).
import { engine, setBackend } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { importFailure } from '../../core/importFailure.ts';
import { gpuBackendOf } from '../../engines/backends/gpuBackend.ts';

interface Gpu {
  requestAdapter(): Promise<object | null>;
}

/** Of the process: its devices end where nothing refers to it any more. */
let gpu: Gpu | undefined;

/** Starts the backend. Raises MissingPackage, or an error whose message is the reason. */
export async function startWebgpu(): Promise<void> {
  const { create, globals } = await importDawn('webgpu');
  gpu ??= create([]);
  for (const [name, value] of Object.entries<unknown>({ ...globals })) {
    if (!(name in globalThis)) Reflect.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  await asOfNavigator(gpu, start);
}

/** The package webgpu. */
interface Dawn {
  readonly create: (flags: string[]) => Gpu;
  readonly globals: object;
}

/** Its name is a parameter, so that the sources compile where this package of 132 MB is not installed. */
async function importDawn(packageName: string): Promise<Dawn> {
  try {
    // As the types.d.ts of webgpu has it.
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ packageName)) as Dawn;
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes('dawn.node')) {
      throw new Error(`the package webgpu has no binary that runs on this machine (${cause.message})`, { cause });
    }
    throw importFailure(packageName, cause);
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
  if (await setBackend('webgpu')) nameReads();
}

/**
 * tfjs reads what another backend asks for synchronously, with an OffscreenCanvas that Node lacks. Values that were read before
 * lie on the host.
 */
function nameReads(): void {
  const backend = gpuBackendOf(engine().backend);
  if (backend === undefined) return;
  const { instance, hostValues } = backend;
  const readSync = instance.readSync.bind(instance);
  instance.readSync = (dataId) => {
    if (hostValues(dataId) !== undefined) return readSync(dataId);
    throw new TransferKitError(
      'BACKEND_UNAVAILABLE',
      "expected values that can be read synchronously, but those of the backend 'webgpu' cannot be in Node, where no model moves " +
        "from it to another backend. Call useBackend('webgpu'), save the model, choose the other backend, then load the model there.",
      { backend: 'webgpu', reason: 'its values cannot be read synchronously in Node' },
    );
  };
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
