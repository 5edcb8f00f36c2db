// Sums, means and maxima along adjacent axes.
import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** How values are reduced; numbers as in assembly/reduce.ts. */
const joins = { sum: 0, mean: 0, largest: 1 } as const;
type Join = keyof typeof joins;

/** Kernels of tfjs's reductions. */
export const reductionMakers = [
  kernelOrOriginal('Sum', (kernels, call) => reduce(kernels, call, call.attrs?.axis, 'sum')),
  kernelOrOriginal('Mean', (kernels, call) => reduce(kernels, call, call.attrs?.axis, 'mean')),
  kernelOrOriginal('Max', (kernels, call) => reduce(kernels, call, call.attrs?.reductionIndices, 'largest')),
];

/** Values as [outer, middle, inner], to be reduced along the middle. */
export interface Middle {
  readonly outer: number;
  readonly middle: number;
  readonly inner: number;
}

function reduce(
  kernels: KernelModule,
  { inputs, attrs }: KernelCall,
  axis: unknown,
  join: Join,
): TensorInfo | undefined {
  const { x } = inputs;
  if (x?.dtype !== 'float32' || util.sizeFromShape(x.shape) === 0) return undefined;
  const axes = util.parseAxisParam(axis as number | number[], x.shape);
  const middle = middleOf(x.shape, new Set(axes));
  if (middle === undefined) return undefined;
  const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = attrs?.keepDims === true ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
  const out = makeOutput(kernels.backend, shape, 'float32');
  joinMiddle(kernels, addressOf(kernels.backend, x), addressOf(kernels.backend, out), middle, join);
  return out;
}

/** Undefined when an axis between two reduced ones is kept. */
function middleOf(shape: readonly number[], reduced: ReadonlySet<number>): Middle | undefined {
  const axes = shape.map((size, axis) => ({ size, isReduced: reduced.has(axis) })).filter(({ size }) => size !== 1);
  const first = axes.findIndex(({ isReduced }) => isReduced);
  const last = axes.findLastIndex(({ isReduced }) => isReduced);
  if (axes.slice(first, last).some(({ isReduced }) => !isReduced)) return undefined;
  const product = (list: typeof axes) => list.reduce((total, { size }) => total * size, 1);
  return {
    outer: product(axes.slice(0, Math.max(first, 0))),
    middle: product(axes.slice(Math.max(first, 0), last + 1)),
    inner: product(axes.slice(last + 1)),
  };
}

/**
 * Reduces along the middle; a long one in blocks first, so that all threads take part and rounding errors are smaller.
 */
function joinMiddle(kernels: KernelModule, x: number, out: number, values: Middle, join: Join): void {
  const { outer, middle, inner } = values;
  const { perTask: blockRows, tasks: blocks } =
    outer < fewOuter ? shareWork(middle, inner) : { perTask: middle, tasks: 1 };
  const divisor = join === 'mean' ? middle : 1;
  if (blocks === 1) {
    joinBlocks(kernels, x, out, values, join, { divisor });
    return;
  }
  const parts = kernels.scratch.reserve(outer * blocks * inner * 4);
  joinBlocks(kernels, x, parts, values, join, { blockRows });
  joinBlocks(kernels, parts, out, { outer, middle: blocks, inner }, join, { divisor });
}

/**
 * Reduces each block of rows along the middle, by default all rows, and divides. It uses no scratch memory, so the
 * values may be there.
 */
export function joinBlocks(
  kernels: KernelModule,
  from: number,
  to: number,
  { outer, middle, inner }: Middle,
  join: Join,
  { blockRows = middle, divisor = 1 }: { readonly blockRows?: number; readonly divisor?: number } = {},
): void {
  const outputs = outer * Math.ceil(middle / blockRows);
  const { perTask, tasks } = shareWork(outputs, blockRows * inner);
  const parameters = [joins[join], from, to, inner, middle, blockRows, outputs, perTask, real(divisor)];
  kernels.run('reduceMiddle', parameters, tasks);
}

/** With at least this many outer rows, each may be one task. */
const fewOuter = 16;
