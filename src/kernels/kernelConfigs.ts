// Every tfjs kernel that this package replaces or adds on wasm with its own module.
import type { KernelConfig } from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule.ts';

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

/** All of them. */
export const kernelMakers: readonly KernelMaker[] = [];
