// LayerNormalization over the last axis as one kernel, and its gradients as another: kernels under names of this package
// (networks/run/fusedLayerNorm.ts, networks/run/ownOperations.ts).
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { isFloat } from './convolutionShape.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { divideRows, isRows } from './lastAxis.ts';
import { real } from './real.ts';
import { joinBlocks } from './reductions.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** `{ x, gamma?, beta? }` → y, and `{ x, dy, gamma? }` → [dx, [dgamma, dbeta]]; with `{ epsilon }`. */
export const layerNormMakers = [
  kernelOrOriginal('TransferkitLayerNorm', normalize),
  kernelOrOriginal('TransferkitLayerNormGradient', gradient),
];

function normalize(kernels: KernelModule, { inputs: { x, gamma, beta }, attrs }: KernelCall): TensorInfo | undefined {
  if (!isRows(x) || !isForEachChannel(x, gamma) || !isForEachChannel(x, beta)) return undefined;
  const { backend } = kernels;
  const out = makeOutput(backend, x.shape, 'float32');
  const { channels, rows, perTask, tasks } = divideRows(x);
  const at = (info: TensorInfo | undefined) => (info ? addressOf(backend, info) : 0);
  const words = [at(x), at(out), channels, rows, perTask, at(gamma), at(beta), real(Number(attrs?.epsilon))];
  kernels.run('normalizeLayer', words, tasks);
  return out;
}

function gradient(kernels: KernelModule, { inputs: { x, dy, gamma }, attrs }: KernelCall): TensorInfo[] | undefined {
  if (!isRows(x) || !isRows(dy) || !util.arraysEqual(x.shape, dy.shape) || !isForEachChannel(x, gamma))
    return undefined;
  const { backend, scratch } = kernels;
  const dx = makeOutput(backend, x.shape, 'float32');
  const { channels, rows, perTask, tasks } = divideRows(x);
  const sums = makeOutput(backend, [2, channels], 'float32');
  // [tasks, 2, channels]
  const parts = tasks === 1 ? addressOf(backend, sums) : scratch.reserve(tasks * 2 * channels * 4);
  const at = (info: TensorInfo | undefined) => (info ? addressOf(backend, info) : 0);
  const words = [at(x), at(dx), channels, rows, perTask, at(gamma), at(dy), real(Number(attrs?.epsilon)), parts];
  kernels.run('layerGradient', words, tasks);
  const blocks = { outer: 1, middle: tasks, inner: 2 * channels };
  if (tasks > 1) joinBlocks(kernels, parts, addressOf(backend, sums), blocks, 'sum');
  return [dx, sums];
}

function isForEachChannel({ shape }: TensorInfo, values: TensorInfo | undefined): boolean {
  return values === undefined || (isFloat(values) && util.arraysEqual(values.shape, shape.slice(-1)));
}
