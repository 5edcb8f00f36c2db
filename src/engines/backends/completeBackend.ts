// Makes the active backend ready for training: registers gradients with tfjs, places kernels, checks the arithmetic.
import { backend, getBackend, getGradient, type GradConfig, type KernelBackend } from '@tensorflow/tfjs-core';
import type { Completion, KernelOptions } from './completion.ts';
import { gpuBackendOf } from './gpuBackend.ts';
import { noteHalfPrecision } from './halfPrecision.ts';
import { watchLoss } from './lostBackend.ts';

/** The completion of each backend instance that has passed the self-test. */
const tested = new WeakMap<KernelBackend, string>();

/**
 * Completes the active backend, which must have started.
 *
 * @throws TransferKitError `BACKEND_WRONG_RESULT`, `BACKEND_UNAVAILABLE`.
 */
export async function completeBackend(options: KernelOptions = {}): Promise<Completion> {
  const instance = backend();
  const name = getBackend();
  watchLoss(name, instance);
  // tfjs-core contains no gradients: importing tfjs-layers registers them.
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
  if (gpuBackendOf(instance) === undefined) return completion;
  return { ...completion, notes: [...completion.notes, ...(await noteHalfPrecision(name, instance))] };
}

/** Only wasm needs the code that is imported here. */
async function completeKernels(instance: KernelBackend, options: KernelOptions): Promise<Completion> {
  const { completeWasm } = await import('./completeWasm.ts');
  return completeWasm(instance, options);
}

/** The type of tfjs wrongly says that it is always defined. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}

/** Returns whether a backend instance has been completed. */
export function isComplete(instance: KernelBackend): boolean {
  return tested.has(instance);
}
