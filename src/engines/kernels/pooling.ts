// Pooling of pictures, and its gradients.
import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import { shape4 } from './convolutionShape.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernels of tfjs's operations. */
export const poolingMakers = [
  kernelOrOriginal('MaxPool', (kernels, call) => pool(kernels, call, false)),
  kernelOrOriginal('AvgPool', (kernels, call) => pool(kernels, call, true)),
  kernelOrOriginal('AvgPoolGrad', averageGradient),
  kernelOrOriginal('MaxPoolGrad', largestGradient),
];

/** Windows along one axis. */
interface WindowAxis {
  /** Number of positions of the pictures, and of the windows. */
  readonly input: number;
  readonly output: number;
  readonly size: number;
  readonly stride: number;
  /** Number of positions of the first window before the picture. */
  readonly before: number;
}

interface Windows {
  readonly pictures: number;
  readonly rows: WindowAxis;
  readonly columns: WindowAxis;
  readonly channels: number;
}

function windowsOf(x: TensorInfo | undefined, attrs: KernelCall['attrs']): Windows | undefined {
  if (x?.dtype !== 'float32' || x.shape.length !== 4 || util.sizeFromShape(x.shape) === 0) return undefined;
  const geometry = backend_util.computePool2DInfo(
    x.shape as [number, number, number, number],
    attrs?.filterSize as number | [number, number],
    attrs?.strides as number | [number, number],
    1,
    attrs?.pad as 'same' | 'valid' | number,
    attrs?.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
  );
  const { padInfo } = geometry;
  return {
    pictures: geometry.batchSize,
    rows: {
      ...{ input: geometry.inHeight, output: geometry.outHeight, size: geometry.filterHeight },
      ...{ stride: geometry.strideHeight, before: padInfo.top },
    },
    columns: {
      ...{ input: geometry.inWidth, output: geometry.outWidth, size: geometry.filterWidth },
      ...{ stride: geometry.strideWidth, before: padInfo.left },
    },
    channels: geometry.inChannels,
  };
}

/** The windows of the forward pass. tfjs does not pass how it rounded, but `dy` has the same number of windows. */
function windowsBack({ inputs, attrs }: KernelCall): Windows | undefined {
  const windows = windowsOf(inputs.input, attrs);
  const [pictures, height, width, channels] = shape4(inputs.dy?.shape ?? []) ?? [];
  if (windows === undefined || inputs.dy?.dtype !== 'float32' || height === undefined || width === undefined)
    return undefined;
  if (pictures !== windows.pictures || channels !== windows.channels) return undefined;
  const { rows, columns } = windows;
  return { ...windows, rows: { ...rows, output: height }, columns: { ...columns, output: width } };
}

function pool(kernels: KernelModule, call: KernelCall, isAverage: boolean): TensorInfo | undefined {
  const { x } = call.inputs;
  const windows = windowsOf(x, call.attrs);
  if (x === undefined || windows === undefined) return undefined;
  const { pictures, rows, columns, channels } = windows;
  const out = makeOutput(kernels.backend, [pictures, rows.output, columns.output, channels], 'float32');
  runForward(kernels, 'poolRows', windows, addressOf(kernels.backend, x), addressOf(kernels.backend, out), [
    Number(isAverage),
    real(0),
  ]);
  return out;
}

/**
 * The gradient of each pixel: the sum, over all windows that contain it, of the window's gradient divided by its size.
 */
function averageGradient(kernels: KernelModule, call: KernelCall): TensorInfo | undefined {
  const { dy, input } = call.inputs;
  const windows = windowsBack(call);
  if (dy === undefined || input === undefined || windows === undefined) return undefined;
  const dx = makeOutput(kernels.backend, input.shape, 'float32');
  const { rows, columns } = windows;
  runBackward(kernels, 'poolRows', windows, addressOf(kernels.backend, dy), addressOf(kernels.backend, dx), [
    1,
    real(rows.size * columns.size),
  ]);
  return dx;
}

function largestGradient(kernels: KernelModule, call: KernelCall): TensorInfo | undefined {
  const { dy, input } = call.inputs;
  const windows = windowsBack(call);
  if (dy === undefined || input === undefined || windows === undefined) return undefined;
  const { backend, scratch } = kernels;
  const dx = makeOutput(backend, input.shape, 'float32');
  const taps = scratch.reserve(util.sizeFromShape(dy.shape) * 4);
  runForward(kernels, 'largestTaps', windows, addressOf(backend, input), taps, []);
  const { rows, columns } = windows;
  runBackward(kernels, 'maxPoolGradient', windows, taps, addressOf(backend, dx), [
    ...[addressOf(backend, dy), rows.stride, columns.stride, rows.before, columns.before, columns.size],
  ]);
  return dx;
}

type PoolingKernel = 'poolRows' | 'largestTaps' | 'maxPoolGradient';

/** From pictures to one pixel for each window: window p starts at stride · p - before. */
function runForward(
  kernels: KernelModule,
  kernel: PoolingKernel,
  { pictures, rows, columns, channels }: Windows,
  from: number,
  to: number,
  further: readonly number[],
): void {
  const { perTask, tasks } = shareWork(pictures * rows.output, columns.output * channels * rows.size * columns.size);
  const bounds = ({ size, stride, before }: WindowAxis) => [stride, -before, size - before, 1];
  kernels.run(
    kernel,
    [
      ...[from, to, channels, rows.input, columns.input, rows.output, columns.output, pictures * rows.output, perTask],
      ...[...bounds(rows), ...bounds(columns), ...further],
    ],
    tasks,
  );
}

/**
 * From one pixel for each window to pictures: position p is in the windows from ceil((p + before - size + 1) / stride)
 * to floor((p + before) / stride) inclusive.
 */
function runBackward(
  kernels: KernelModule,
  kernel: PoolingKernel,
  { pictures, rows, columns, channels }: Windows,
  from: number,
  to: number,
  further: readonly number[],
): void {
  const { perTask, tasks } = shareWork(pictures * rows.input, columns.input * channels);
  const bounds = ({ size, stride, before }: WindowAxis) => [1, before - size + stride, before + stride, stride];
  kernels.run(
    kernel,
    [
      ...[from, to, channels, rows.output, columns.output, rows.input, columns.input, pictures * rows.input, perTask],
      ...[...bounds(rows), ...bounds(columns), ...further],
    ],
    tasks,
  );
}
