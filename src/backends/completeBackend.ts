// Makes the active backend ready for training: gradients known to tfjs, kernels in place, arithmetic checked.
import { backend, getBackend, getGradient, type GradConfig, type KernelBackend } from '@tensorflow/tfjs-core';
import { completeWasm } from './completeWasm.ts';
import { selfTest } from './selfTest.ts';

/** Backend instances that have passed the self-test. */
const tested = new WeakSet<KernelBackend>();

/**
 * Completes the active backend; it must have started.
 *
 * @returns Names of the kernels of this package that it uses.
 * @throws TransferKitError `BACKEND_WRONG_RESULT`, `BACKEND_UNAVAILABLE`.
 */
export async function completeBackend(): Promise<readonly string[]> {
  const instance = backend();
  const name = getBackend();
  // tfjs-core knows no gradient of any operation by itself: tfjs-layers brings them all when it is imported.
  if (gradientOf('Conv2D') === undefined) await import('@tensorflow/tfjs-layers');
  const registered = name === 'wasm' ? completeWasm() : [];
  if (!tested.has(instance)) {
    await selfTest(name);
    tested.add(instance);
  }
  return registered;
}

/** tfjs types it as always there. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}

/** Whether a backend instance has been completed. */
export function isComplete(instance: KernelBackend): boolean {
  return tested.has(instance);
}
