// Makes the active backend ready for training: gradients known to tfjs, kernels in place, arithmetic checked.
import { backend, getBackend, getGradient, type GradConfig, type KernelBackend } from '@tensorflow/tfjs-core';
import type { Completion, KernelOptions } from './completion.ts';

/** What backend instances were completed with when they passed the self-test. */
const tested = new WeakMap<KernelBackend, string>();

/**
 * Completes the active backend; it must have started.
 *
 * @throws TransferKitError `BACKEND_WRONG_RESULT`, `BACKEND_UNAVAILABLE`.
 */
export async function completeBackend(options: KernelOptions = {}): Promise<Completion> {
  const instance = backend();
  const name = getBackend();
  // tfjs-core knows no gradient of any operation by itself: tfjs-layers brings them all when it is imported.
  if (gradientOf('Conv2D') === undefined) await import('@tensorflow/tfjs-layers');
  const { registerGradients } = await import('./registerGradients.ts');
  registerGradients();
  const completion =
    name === 'wasm' ? await completeKernels(instance, options) : { registered: [], threads: 1, notes: [] };
  const kernels = completion.registered.join();
  if (tested.get(instance) !== kernels) {
    const { selfTest } = await import('./selfTest.ts');
    await selfTest(name);
    tested.set(instance, kernels);
  }
  return completion;
}

/** Only wasm needs the code that is loaded here. */
async function completeKernels(instance: KernelBackend, options: KernelOptions): Promise<Completion> {
  const { completeWasm } = await import('./completeWasm.ts');
  return completeWasm(instance, options);
}

/** tfjs types it as always there. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}

/** Whether a backend instance has been completed. */
export function isComplete(instance: KernelBackend): boolean {
  return tested.has(instance);
}
