// Kernels that compute supported calls on the module, and pass all others to the previous kernel.
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule.ts';
import { freeOnFailure } from './wasmHeap.ts';

/** A tfjs kernel that runs on the module. */
export interface KernelMaker {
  /** tfjs's name of the operation. */
  readonly kernelName: string;
  /**
   * Makes the kernel.
   *
   * @param original - The previous kernel: called for types, layouts and attributes that the module does not support.
   */
  make(kernels: KernelModule, original: KernelConfig | undefined): KernelConfig;
}

/** Inputs and attributes of an operation. */
export type KernelCall = Parameters<KernelConfig['kernelFunc']>[0];

/**
 * Makes a kernel that passes unsupported calls to the original.
 *
 * @param compute - Returns undefined, without allocating anything, when the module does not support the call.
 */
export function kernelOrOriginal(
  kernelName: string,
  compute: (kernels: KernelModule, call: KernelCall) => TensorInfo | TensorInfo[] | undefined,
): KernelMaker {
  return {
    kernelName,
    make: (kernels, original) => ({
      ...original,
      kernelName,
      backendName: 'wasm',
      kernelFunc: (call) => {
        const own = freeOnFailure(kernels.backend, () => compute(kernels, call));
        const result = own ?? original?.kernelFunc(call);
        if (result !== undefined) return result;
        throw new Error(`${kernelName} (transferkit, wasm): there is no kernel for these inputs and attributes.`);
      },
    }),
  };
}
