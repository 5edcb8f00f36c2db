// Elementwise sums, differences, products and quotients, of equal shapes or with broadcasting; and broadcasting alone.
import { broadcast_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { shareValues, shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Numbers in assembly/elementwise.ts: for the operation, and for the operation with exchanged operands. */
const operations = { Add: [0, 0], Multiply: [1, 1], Sub: [2, 3], RealDiv: [4, 5] } as const;

/** The number of broadcasting alone. */
const repeat = 6;

/** Kernels of tfjs's arithmetic. */
export const elementwiseMakers = [
  ...(['Add', 'Multiply', 'Sub', 'RealDiv'] as const).map((name) =>
    kernelOrOriginal(name, (kernels, call) => combine(kernels, call, operations[name])),
  ),
  kernelOrOriginal('Tile', tile),
];

function combine(
  kernels: KernelModule,
  { inputs: { a, b } }: KernelCall,
  [inOrder, swapped]: readonly [number, number],
): TensorInfo | undefined {
  if (a?.dtype !== 'float32' || b?.dtype !== 'float32') return undefined;
  const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const size = util.sizeFromShape(shape);
  const isInOrder = util.sizeFromShape(a.shape) === size;
  const [long, short] = isInOrder ? [a, b] : [b, a];
  const repetition = repetitionOf(short.shape, shape);
  if (size === 0 || util.sizeFromShape(long.shape) !== size || repetition === undefined) return undefined;
  const out = makeOutput(kernels.backend, shape, 'float32');
  run(kernels, isInOrder ? inOrder : swapped, [long, short, out], repetition);
  return out;
}

/** Repeats axes of length 1: tfjs uses it to make shapes equal. */
function tile(kernels: KernelModule, { inputs: { x }, attrs }: KernelCall): TensorInfo | undefined {
  if (x?.dtype !== 'float32') return undefined;
  const reps = attrs?.reps as readonly number[];
  const shape = x.shape.map((size, axis) => size * (reps[axis] ?? 1));
  const repetition = repetitionOf(x.shape, shape);
  const isLonger = x.shape.some((size, axis) => size !== 1 && reps[axis] !== 1);
  if (util.sizeFromShape(shape) === 0 || isLonger || repetition === undefined) return undefined;
  const out = makeOutput(kernels.backend, shape, 'float32');
  run(kernels, repeat, [out, x, out], repetition);
  return out;
}

function run(
  kernels: KernelModule,
  operation: number,
  infos: readonly [long: TensorInfo, short: TensorInfo, out: TensorInfo],
  repetition: Repetition,
): void {
  const size = util.sizeFromShape(infos[2].shape);
  const addresses = infos.map((info) => addressOf(kernels.backend, info));
  const { isSplat, length, repeats, step, perTask, tasks } = layOut(repetition, size);
  kernels.run('combine', [operation, Number(isSplat), ...addresses, size, length, perTask, repeats, step], tasks);
}

/** A shape [outer, 1, inner] that is repeated to [outer, repeats, inner]. */
interface Repetition {
  readonly outer: number;
  readonly repeats: number;
  readonly inner: number;
}

/** Returns how a shape is repeated to become another one; undefined when the repeated axes are not adjacent. */
function repetitionOf(short: readonly number[], long: readonly number[]): Repetition | undefined {
  const sizes = long.map((size, axis) => ({ size, own: short[axis - long.length + short.length] ?? 1 }));
  const axes = sizes.filter(({ size }) => size !== 1).reverse();
  const isRepeated = ({ size, own }: (typeof sizes)[number]) => own !== size;
  const product = (list: typeof sizes) => list.reduce((total, { size }) => total * size, 1);
  const start = endOf(axes, isRepeated);
  const end = start + endOf(axes.slice(start), (axis) => !isRepeated(axis));
  if (axes.slice(end).some(isRepeated)) return undefined;
  return {
    outer: product(axes.slice(end)),
    repeats: product(axes.slice(start, end)),
    inner: product(axes.slice(0, start)),
  };
}

/** Index of the first member of a kind. */
function endOf<Member>(list: readonly Member[], isKind: (member: Member) => boolean): number {
  const index = list.findIndex(isKind);
  return index === -1 ? list.length : index;
}

/** The rows of the longer array, and the operand of each. */
function layOut({ outer, repeats, inner }: Repetition, size: number) {
  if (repeats === 1 || (outer === 1 && inner === 1)) {
    const { perTask: length, tasks } = shareValues(size);
    const isSplat = repeats > 1 || size === 1;
    return { isSplat, length, repeats: 1, step: isSplat ? 0 : length * 4, perTask: 1, tasks };
  }
  if (inner === 1) return { isSplat: true, length: repeats, repeats: 1, step: 4, ...shareWork(outer, repeats) };
  return { isSplat: false, length: inner, repeats, step: inner * 4, ...shareWork(outer * repeats, inner) };
}
