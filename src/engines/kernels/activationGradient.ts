// The gradient through an activation and, in the same pass, its sums: the gradient of a bias, or of BatchNorm's beta.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { functionNumbers, isFunctionName, type FunctionName } from './functionConstants.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { joinBlocks } from './reductions.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Activations whose output shows where their gradient is 0: at 0 and below, and for `relu6` at 6 and above. */
export type FlatActivation = 'relu' | 'relu6';

const ceilings: Readonly<Record<FlatActivation, number>> = { relu: Infinity, relu6: 6 };

/**
 * Computes the gradient before an activation, and its sums over all axes except the last one. For a flat activation it
 * is `dy` where `y` is above 0 (and, for `relu6`, below 6), else 0.
 *
 * @param dy - float32 [..., c], not empty.
 * @param y - In the shape of `dy`: the output of a flat activation, the input of any other.
 * @returns `masked` in the shape of `dy`; `sums` [c]. The caller owns both.
 */
export function activationGradient(
  kernels: KernelModule,
  dy: TensorInfo,
  y: TensorInfo,
  activation: FlatActivation | FunctionName,
): { readonly masked: TensorInfo; readonly sums: TensorInfo } {
  const { backend } = kernels;
  const channels = dy.shape.at(-1) ?? 1;
  const rows = util.sizeFromShape(dy.shape) / channels;
  const { perTask, tasks } = shareWork(rows, channels);
  const masked = makeOutput(backend, dy.shape, 'float32');
  const sums = makeOutput(backend, [channels], 'float32');
  const total = addressOf(backend, sums);
  const parts = tasks === 1 ? total : kernels.scratch.reserve(tasks * channels * 4);
  const addresses = [dy, y, masked].map((info) => addressOf(backend, info));
  const words = [...addresses, parts, rows, channels, perTask];
  if (isFunctionName(activation)) kernels.run('functionGradient', [...words, functionNumbers[activation]], tasks);
  else kernels.run('maskGradient', [...words, real(ceilings[activation])], tasks);
  if (tasks > 1) joinBlocks(kernels, parts, total, { outer: 1, middle: tasks, inner: channels }, 'sum');
  return { masked, sums };
}
