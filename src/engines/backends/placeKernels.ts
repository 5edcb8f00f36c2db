// Registers with tfjs the kernels that its wasm backend lacks for training, or that are slow: compositions of tfjs's
// own operations and, where SIMD is available, the kernels of this package's module, which take precedence.
import { registerKernel, unregisterKernel, type KernelConfig } from '@tensorflow/tfjs-core';
import { kernelMakers } from '../kernels/kernelConfigs.ts';
import type { KernelModule } from '../kernels/kernelModule.ts';
import { wasmKernel } from './compositeKernel.ts';
import { batchedGather } from './batchedGather.ts';
import { gradientKernels } from './gradientKernels.ts';
import { windowKernels, wrongWindowKernels } from './windowKernels.ts';
import { transposeFirst, transposeFirstFused } from './transposedMatMul.ts';

/** Kernels of tfjs for wasm that are replaced although they exist: a scalar loop, or wrong numbers. */
const replaced: readonly string[] = [
  'Conv2DBackpropInput',
  'BatchMatMul',
  '_FusedMatMul',
  'GatherV2',
  ...wrongWindowKernels,
];

/** Marks kernels of this package, also those of another copy of it, so that none replaces itself. */
const ours = Symbol.for('transferkit.kernel');

/** Kernels that this copy of the package has placed, and for which module. */
const placed = new Map<string, { readonly kernel: KernelConfig; readonly module: KernelModule | undefined }>();

/** Kernels that tfjs or the app had under these names before. */
const originals = new Map<string, KernelConfig | undefined>();

/** Kernels for operations that the module does not compute, where tfjs's are missing or slow. */
let compositions: ReadonlyMap<string, KernelConfig> | undefined;

/**
 * Registers the kernels for `wasm`.
 *
 * @param module - Computes the operations that it supports; without it the compositions are used.
 * @returns Names of the placed kernels of this package.
 */
export function placeKernels(module: KernelModule | undefined): readonly string[] {
  compositions ??= makeCompositions();
  const names = new Set([...compositions.keys(), ...kernelMakers.map(({ kernelName }) => kernelName)]);
  return [...names].filter((name) => place(name, module));
}

function makeCompositions(): ReadonlyMap<string, KernelConfig> {
  const plain = wasmKernel('BatchMatMul');
  const fused = wasmKernel('_FusedMatMul');
  const gather = wasmKernel('GatherV2');
  const products = [...(plain ? [transposeFirst(plain)] : []), ...(fused ? [transposeFirstFused(fused)] : [])];
  const gathers = gather ? [batchedGather(gather)] : [];
  return new Map(
    [...gradientKernels(), ...windowKernels(), ...gathers, ...products].map((kernel) => [kernel.kernelName, kernel]),
  );
}

/** Places the best kernel; false when it is not from this package. A kernel of another copy of the package stays. */
function place(name: string, module: KernelModule | undefined): boolean {
  const present = wasmKernel(name);
  const own = placed.get(name);
  if (own !== undefined && own.kernel === present && own.module === module) return true;
  if (isOurs(present) && own?.kernel !== present) return true;
  if (!isOurs(present)) originals.set(name, present);
  const best = bestKernel(name, module);
  if (present !== undefined) unregisterKernel(name, 'wasm');
  placed.delete(name);
  if (best === undefined) return false;
  const isOwn = best !== originals.get(name);
  const kernel = isOwn ? Object.assign({ ...best }, { [ours]: true }) : best;
  registerKernel(kernel);
  if (isOwn) placed.set(name, { kernel, module });
  return isOwn;
}

/** The module's kernel, else the composition where it is needed, else the previous kernel. */
function bestKernel(name: string, module: KernelModule | undefined): KernelConfig | undefined {
  const original = originals.get(name);
  const isNeeded = original === undefined || replaced.includes(name);
  const behind = isNeeded ? (compositions?.get(name) ?? original) : original;
  const maker = kernelMakers.find(({ kernelName }) => kernelName === name);
  return maker === undefined || module === undefined ? behind : onlyOn(module, maker.make(module, behind), behind);
}

/** The module works on the memory of one instance of the backend; any other instance uses the previous kernel. */
function onlyOn(module: KernelModule, kernel: KernelConfig, behind: KernelConfig | undefined): KernelConfig {
  return {
    ...kernel,
    kernelFunc: (call) => {
      const { kernelFunc } = call.backend === module.backend ? kernel : (behind ?? kernel);
      return kernelFunc(call);
    },
  };
}

function isOurs(kernel: KernelConfig | undefined): boolean {
  return kernel !== undefined && ours in kernel;
}
