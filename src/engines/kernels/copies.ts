// Operations that copy values: concatenations, their gradients, slices, and padding of pictures.
import { backend_util, slice_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernels of tfjs's operations. */
export const copyMakers = [
  kernelOrOriginal('Concat', concatenate),
  kernelOrOriginal('SplitV', split),
  kernelOrOriginal('Slice', slice),
  kernelOrOriginal('PadV2', padPictures),
];

/** Runs of consecutive values, in three axes. Steps and addresses are in bytes. */
interface Runs {
  readonly sizes: readonly [number, number, number];
  /** Number of values in a run. */
  readonly values: number;
  readonly from: number;
  readonly fromSteps: readonly [number, number, number];
  readonly to: number;
  readonly toSteps: readonly [number, number, number];
}

function copyRuns(kernels: KernelModule, { sizes, values, from, fromSteps, to, toSteps }: Runs): void {
  const runs = sizes[0] * sizes[1] * sizes[2];
  const { perTask, tasks } = shareWork(runs, values);
  kernels.run('copyRuns', [from, to, values * 4, perTask, runs, ...sizes, ...fromSteps, ...toSteps], tasks);
}

function concatenate(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const parts = Object.values(inputs).flatMap((input) => input ?? []);
  const [first] = parts;
  const shapes = parts.map(({ shape }) => shape);
  if (first === undefined || parts.some((part) => !isCopied(part) || part.dtype !== first.dtype)) return undefined;
  const [axis = 0] = util.parseAxisParam(Number(attrs?.axis), first.shape);
  backend_util.assertParamsConsistent(shapes, axis);
  const out = makeOutput(kernels.backend, backend_util.computeOutShape(shapes, axis), first.dtype);
  const outRow = util.sizeFromShape(out.shape.slice(axis));
  let to = addressOf(kernels.backend, out);
  for (const part of parts) {
    const from = addressOf(kernels.backend, part);
    const row = util.sizeFromShape(part.shape.slice(axis));
    const sizes = [1, 1, util.sizeFromShape(part.shape) / row] as const;
    copyRuns(kernels, { sizes, values: row, from, fromSteps: [0, 0, row * 4], to, toSteps: [0, 0, outRow * 4] });
    to += row * 4;
  }
  return out;
}

function split(kernels: KernelModule, { inputs: { x }, attrs }: KernelCall): TensorInfo[] | undefined {
  if (!isCopied(x)) return undefined;
  const [axis = 0] = util.parseAxisParam(Number(attrs?.axis), x.shape);
  const counts = backend_util.prepareSplitSize(x, attrs?.numOrSizeSplits as number | number[], axis);
  if (counts.includes(0)) return undefined;
  const inRow = util.sizeFromShape(x.shape.slice(axis));
  let from = addressOf(kernels.backend, x);
  return counts.map((count) => {
    const shape = x.shape.map((length, at) => (at === axis ? count : length));
    const part = makeOutput(kernels.backend, shape, x.dtype);
    const row = util.sizeFromShape(part.shape.slice(axis));
    const sizes = [1, 1, util.sizeFromShape(part.shape) / row] as const;
    const to = addressOf(kernels.backend, part);
    copyRuns(kernels, { sizes, values: row, from, fromSteps: [0, 0, inRow * 4], to, toSteps: [0, 0, row * 4] });
    from += row * 4;
    return part;
  });
}

function slice(kernels: KernelModule, { inputs: { x }, attrs }: KernelCall): TensorInfo | undefined {
  if (!isCopied(x) || x.shape.length > 4) return undefined;
  const [begin = [], size = []] = slice_util.parseSliceParams(
    x,
    attrs?.begin as number | number[],
    attrs?.size as number | number[],
  );
  slice_util.assertParamsValid(x, begin, size);
  if (size.includes(0)) return undefined;
  const out = makeOutput(kernels.backend, size, x.dtype);
  const steps = stepsOf(x.shape);
  const start = begin.reduce((sum, index, axis) => sum + index * (steps[axis] ?? 0), 0);
  // After the last axis that is cut, values are consecutive.
  const cut = Math.max(
    0,
    size.findLastIndex((count, axis) => count !== x.shape[axis]),
  );
  copyRuns(kernels, {
    sizes: lastThree(size.slice(0, cut), 1),
    values: util.sizeFromShape(size.slice(cut)),
    from: addressOf(kernels.backend, x) + start,
    fromSteps: lastThree(steps.slice(0, cut), 0),
    to: addressOf(kernels.backend, out),
    toSteps: lastThree(stepsOf(size).slice(0, cut), 0),
  });
  return out;
}

function padPictures(kernels: KernelModule, { inputs: { x }, attrs }: KernelCall): TensorInfo | undefined {
  const [batch, rows, columns, channels] = attrs?.paddings as readonly (readonly [number, number])[];
  const [pictures = 0, height = 0, width = 0, depth = 0] = x?.shape ?? [];
  if (!isCopied(x) || x.shape.length !== 4 || !rows || !columns) return undefined;
  if ([...(batch ?? []), ...(channels ?? [])].some((count) => count !== 0)) return undefined;
  const [outHeight, outWidth] = [height + rows[0] + rows[1], width + columns[0] + columns[1]];
  const out = makeOutput(kernels.backend, [pictures, outHeight, outWidth, depth], x.dtype);
  const addresses = [x, out].map((info) => addressOf(kernels.backend, info));
  const bytes = depth * 4;
  const { perTask, tasks } = shareWork(pictures * outHeight, outWidth * depth);
  const value = Number(attrs?.constantValue);
  kernels.run(
    'padPictures',
    [
      ...[...addresses, height, width * bytes, rows[0], outHeight, columns[0] * bytes, columns[1] * bytes],
      ...[pictures * outHeight, perTask, x.dtype === 'int32' ? value : real(value)],
    ],
    tasks,
  );
  return out;
}

/** Whether a tensor has at least one value, each of four bytes. */
function isCopied(x: TensorInfo | undefined): x is TensorInfo {
  return (x?.dtype === 'float32' || x?.dtype === 'int32') && util.sizeFromShape(x.shape) > 0;
}

/** Bytes from one index of each axis to the next. */
function stepsOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => util.sizeFromShape(shape.slice(axis + 1)) * 4);
}

function lastThree(list: readonly number[], missing: number): [number, number, number] {
  const [c = missing, b = missing, a = missing] = [...list].reverse();
  return [a, b, c];
}
