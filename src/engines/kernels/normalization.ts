// BatchNorm with stored statistics as a separate operation, where it could not be fused with a convolution.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernel of tfjs's operation. */
export const normalizationMaker = kernelOrOriginal('FusedBatchNorm', normalize);

function normalize(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const { x, mean, variance, scale, offset } = inputs;
  const channels = x?.shape.at(-1) ?? 0;
  const size = util.sizeFromShape(x?.shape ?? []);
  if (x?.dtype !== 'float32' || size === 0) return undefined;
  const isVector = (info: TensorInfo | undefined) =>
    info?.dtype === 'float32' && util.arraysEqual(info.shape, [channels]);
  const isVectorOrMissing = (info: TensorInfo | undefined) => !info || isVector(info);
  if (!isVector(mean) || !isVector(variance) || ![scale, offset].every(isVectorOrMissing)) return undefined;
  const { backend, scratch } = kernels;
  const out = makeOutput(backend, x.shape, 'float32');
  const at = (info: TensorInfo | undefined) => (info ? addressOf(backend, info) : 0);
  const { perTask, tasks } = shareWork(size / channels, channels);
  const factors = scratch.reserve(channels * 4);
  const parameters = [
    ...[at(x), at(out), channels, size / channels, perTask, at(mean), factors, at(offset)],
    ...[at(variance), at(scale), real(Number(attrs?.varianceEpsilon))],
  ];
  kernels.run('normalizationFactors', parameters, 1);
  kernels.run('normalizeRows', parameters, tasks);
  return out;
}
