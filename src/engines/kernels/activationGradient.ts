// The gradient through an activation and, in the same pass, its sums: the gradient of a bias, or of BatchNorm's beta.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { real, type KernelModule } from './kernelModule.ts';
import { joinBlocks } from './reductions.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Activations whose output shows where their gradient is 0: at 0 and below, and for `relu6` at 6 and above. */
export type FlatActivation = 'relu' | 'relu6';

const ceilings: Readonly<Record<FlatActivation, number>> = { relu: Infinity, relu6: 6 };

/**
 * Computes `dy` where the activation's output `y` is above 0 (and, for `relu6`, below 6), else 0, and the sums of the
 * result over all axes except the last one.
 *
 * @param dy - float32 [..., c], not empty.
 * @param y - Output of the activation, in the shape of `dy`.
 * @returns `masked` in the shape of `dy`; `sums` [c]. The caller owns both.
 */
export function activationGradient(
  kernels: KernelModule,
  dy: TensorInfo,
  y: TensorInfo,
  activation: FlatActivation,
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
  const ceiling = real(ceilings[activation]);
  kernels.run('maskGradient', [...addresses, parts, rows, channels, perTask, ceiling], tasks);
  if (tasks > 1) joinBlocks(kernels, parts, total, { outer: 1, middle: tasks, inner: channels }, 'sum');
  return { masked, sums };
}
