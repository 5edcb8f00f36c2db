// Sums, means and largest values along axes that follow each other.
import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import { real, type KernelModule } from './kernelModule.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { shareWork } from './shareWork.ts';
import { addressOf } from './wasmHeap.ts';

/** How values become one; numbers in assembly/reduce.ts. */
const joins = { sum: 0, mean: 0, largest: 1 } as const;
type Join = keyof typeof joins;

/** tfjs's reductions. */
export const reductionMakers = [
  kernelOrOriginal('Sum', (kernels, call) => reduce(kernels, call, call.attrs?.axis, 'sum')),
  kernelOrOriginal('Mean', (kernels, call) => reduce(kernels, call, call.attrs?.axis, 'mean')),
  kernelOrOriginal('Max', (kernels, call) => reduce(kernels, call, call.attrs?.reductionIndices, 'largest')),
];

/** Values as [outer, middle, inner], to be joined along the middle. */
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
  const out = kernels.backend.makeOutput(shape, 'float32');
  joinMiddle(kernels, addressOf(kernels.backend, x), addressOf(kernels.backend, out), middle, join);
  return out;
}

/** Undefined when there is an axis to keep between two to reduce. */
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

/** Joins along the middle; a long one in blocks first, so that all threads take part and sums round less. */
export function joinMiddle(kernels: KernelModule, x: number, out: number, values: Middle, join: Join): void {
  const { outer, middle, inner } = values;
  const { perTask: blockRows, tasks: blocks } =
    outer < fewOuter ? shareWork(middle, inner) : { perTask: middle, tasks: 1 };
  const run = (from: number, to: number, rows: number, perBlock: number, divisor: number) => {
    const outputs = outer * Math.ceil(rows / perBlock);
    const { perTask, tasks } = shareWork(outputs, perBlock * inner);
    const parameters = [joins[join], from, to, inner, rows, perBlock, outputs, perTask, real(divisor)];
    kernels.run('reduceMiddle', parameters, tasks);
  };
  const divisor = join === 'mean' ? middle : 1;
  if (blocks === 1) {
    run(x, out, middle, middle, divisor);
    return;
  }
  const parts = kernels.scratch.reserve(outer * blocks * inner * 4);
  run(x, parts, middle, blockRows, 1);
  run(parts, out, blocks, blocks, divisor);
}

/** With so many rows to make, each may be one task. */
const fewOuter = 16;
