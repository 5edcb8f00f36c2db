// Makes tfjs's wasm backend ready for training: kernels of this package's module on its threads, and compositions of
// tfjs's operations.
import type { KernelBackend } from '@tensorflow/tfjs-core';
import { guardMemory, wasmBackendOf } from '../kernels/wasmHeap.ts';
import type { Completion, KernelOptions } from './completion.ts';
import { placeKernels } from './placeKernels.ts';
import { useKernels, type RunningKernels } from './useKernels.ts';

/** Completes a wasm backend that has started. */
export async function completeWasm(instance: KernelBackend, options: KernelOptions): Promise<Completion> {
  const { module, threads, note } = await startOn(instance, options);
  return { registered: placeKernels(module), threads, notes: note === undefined ? [] : [note] };
}

async function startOn(instance: KernelBackend, options: KernelOptions): Promise<RunningKernels> {
  const backend = wasmBackendOf(instance);
  if (backend !== undefined) {
    guardMemory(backend);
    return useKernels(backend, options);
  }
  const note =
    'one thread and no kernels of its own: this backend is of another make than @tensorflow/tfjs-backend-wasm 4.22';
  return { module: undefined, threads: 1, note };
}
