// What tfjs's wasm backend lacks for training, or does with loops of scalars, put into tfjs's table of kernels.
import { registerKernel, unregisterKernel, type KernelConfig } from '@tensorflow/tfjs-core';
import { wasmKernel } from './compositeKernel.ts';
import { gradientKernels } from './gradientKernels.ts';
import { transposeFirst, transposeFirstFused } from './matMul.ts';

/** Kernels that tfjs has for wasm and that are replaced all the same: each is a loop of scalars, or falls back to one. */
const replaced: readonly string[] = ['Conv2DBackpropInput', 'BatchMatMul', '_FusedMatMul'];

/** Marks kernels of this package, also those of another copy of it, so that none is put in front of itself. */
const ours = Symbol.for('transferkit.kernel');

/**
 * Registers the kernels for `wasm`, once for each process. A missing kernel is added only while tfjs has none of its
 * own.
 *
 * @returns Names of the kernels of this package that are in place.
 */
export function completeWasm(): readonly string[] {
  const kernels = [...gradientKernels(), ...matMulKernels()];
  for (const kernel of kernels) {
    const present = wasmKernel(kernel.kernelName);
    if (isOurs(present) || (present !== undefined && !replaced.includes(kernel.kernelName))) continue;
    if (present !== undefined) unregisterKernel(kernel.kernelName, 'wasm');
    registerKernel(Object.assign(kernel, { [ours]: true }));
  }
  return kernels.map(({ kernelName }) => kernelName).filter((name) => isOurs(wasmKernel(name)));
}

function matMulKernels(): KernelConfig[] {
  const plain = wasmKernel('BatchMatMul');
  const fused = wasmKernel('_FusedMatMul');
  return [...(plain ? [transposeFirst(plain)] : []), ...(fused ? [transposeFirstFused(fused)] : [])];
}

function isOurs(kernel: KernelConfig | undefined): boolean {
  return kernel !== undefined && ours in kernel;
}
