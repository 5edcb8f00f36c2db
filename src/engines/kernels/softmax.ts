// Softmax over the last axis as one kernel, and its gradient as another (../backends/softmaxGradient.ts).
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { isFloat } from './convolutionShape.ts';
import { kernelOrOriginal } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import type { KernelName } from './kernelNames.ts';
import { divideRows, isRows } from './lastAxis.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** `{ logits }` and `{ dim }` → y, and `{ y, dy }` → the gradient for the logits. */
export const softmaxMakers = [
  kernelOrOriginal('Softmax', (kernels, { inputs: { logits }, attrs }) => {
    if (!isRows(logits) || Number(attrs?.dim) !== logits.shape.length - 1) return undefined;
    return runOnRows(kernels, 'softmax', logits);
  }),
  kernelOrOriginal('TransferkitSoftmaxGradient', (kernels, { inputs: { y, dy } }) => {
    if (!isRows(y) || !isFloat(dy) || !util.arraysEqual(y.shape, dy.shape)) return undefined;
    return runOnRows(kernels, 'softmaxGradient', y, dy);
  }),
];

function runOnRows(kernels: KernelModule, name: KernelName, x: TensorInfo, dy?: TensorInfo): TensorInfo {
  const { backend } = kernels;
  const out = makeOutput(backend, x.shape, 'float32');
  const { channels, rows, perTask, tasks } = divideRows(x);
  const at = (info: TensorInfo) => addressOf(backend, info);
  kernels.run(name, [at(x), at(out), channels, rows, perTask, dy ? at(dy) : 0], tasks);
  return out;
}
