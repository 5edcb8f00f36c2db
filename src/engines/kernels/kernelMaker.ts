// Kernels of tfjs that run on the module what they can, and have the rest run by what ran it before.
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
   * @param original - What runs the operation otherwise: called for types, layouts and attributes that the module does not do.
   */
  make(kernels: KernelModule, original: KernelConfig | undefined): KernelConfig;
}

/** Inputs and attributes of an operation. */
export type KernelCall = Parameters<KernelConfig['kernelFunc']>[0];

/**
 * A kernel that leaves to the original what it does not do.
 *
 * @param compute - Gives undefined, and has made nothing, when the call is not one for the module.
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
