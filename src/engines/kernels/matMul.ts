// Matrix products on the module, with bias and activation.
import { broadcast_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { readEpilogue, type PatchEpilogue } from './patchEpilogue.ts';
import { oneByOne, type Placement } from './patches.ts';
import { patchProduct } from './patchProduct.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernels of tfjs's matrix products, and one of this package with more activations (networks/run/ownOperations.ts). */
export const matMulMakers = ['BatchMatMul', '_FusedMatMul', 'TransferkitProduct'].map((name) =>
  kernelOrOriginal(name, multiply),
);

/** A matrix, or several. */
interface Factor {
  readonly info: TensorInfo;
  readonly isTransposed: boolean;
  /** Axes before the last two. */
  readonly outer: number[];
  readonly count: number;
  /** Size of one matrix, after the transposition if there is one. */
  readonly rows: number;
  readonly columns: number;
}

function multiply(kernels: KernelModule, call: KernelCall): TensorInfo | undefined {
  const a = readFactor(call.inputs.a, call.attrs?.transposeA);
  const b = readFactor(call.inputs.b, call.attrs?.transposeB);
  if (!a || b?.rows !== a.columns) return undefined;
  if (a.count !== 1 && b.count !== 1 && !util.arraysEqual(a.outer, b.outer)) return undefined;
  const epilogue = readEpilogue(kernels.backend, call, b.columns);
  if (epilogue === undefined) return undefined;
  const outer = broadcast_util.assertAndGetBroadcastShape(a.outer, b.outer);
  const out = makeOutput(kernels.backend, [...outer, a.rows, b.columns], 'float32');
  if (util.sizeFromShape(out.shape) > 0) run(kernels, a, b, epilogue, out);
  return out;
}

function readFactor(info: TensorInfo | undefined, transpose: unknown): Factor | undefined {
  const [height, width] = info?.shape.slice(-2) ?? [];
  if (info?.dtype !== 'float32' || height === undefined || width === undefined) return undefined;
  const isTransposed = transpose === true;
  const [rows, columns] = isTransposed ? [width, height] : [height, width];
  const outer = info.shape.slice(0, -2);
  return { info, isTransposed, outer, count: util.sizeFromShape(outer), rows, columns };
}

function run(kernels: KernelModule, a: Factor, b: Factor, epilogue: PatchEpilogue, out: TensorInfo): void {
  // Stacked matrices are multiplied as one, if all have the same right factor.
  const isTall = b.count === 1 && !a.isTransposed;
  const rows = isTall ? a.rows * a.count : a.rows;
  patchProduct(kernels, {
    bias: epilogue.bias,
    activation: epilogue.activation,
    pictures: 1,
    rows: oneByOne(1),
    columns: oneByOne(rows),
    channels: a.columns,
    channelStep: a.isTransposed ? a.rows * 4 : 4,
    input: matrixAt(addressOf(kernels.backend, a.info), a.isTransposed ? 4 : a.columns * 4),
    output: matrixAt(addressOf(kernels.backend, out), b.columns * 4),
    filter: {
      address: addressOf(kernels.backend, b.info),
      tapRow: 0,
      tapColumn: 0,
      line: (b.isTransposed ? b.rows : b.columns) * 4,
      isTransposed: b.isTransposed,
      isContiguous: !b.isTransposed,
    },
    results: b.columns,
    groups: {
      count: isTall ? 1 : Math.max(a.count, b.count),
      input: a.count === 1 ? 0 : a.rows * a.columns * 4,
      filter: b.count === 1 ? 0 : b.rows * b.columns * 4,
      output: a.rows * b.columns * 4,
    },
  });
}

/** Describes the rows of a matrix as pixels of one picture. */
function matrixAt(address: number, rowBytes: number): Placement {
  return { address, picture: 0, row: 0, pixel: rowBytes };
}
