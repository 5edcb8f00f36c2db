// Products of a single patch with a matrix, as of the only picture of a batch with the weights of a dense layer.
import type { KernelModule } from './kernelModule.ts';
import { clear, patchSizes } from './patches.ts';
import { linear, writeBias, type PatchProduct } from './products.ts';
import { real } from './real.ts';

/** Whether the left side is one vector, and the matrix is as it is in memory. */
export function isVector(product: PatchProduct): boolean {
  const { rows, columns, channelStep = 4, groups, gather, filter } = product;
  const { count, taps } = patchSizes(product);
  // The kernel reads a patch as one list of numbers: it must be one pixel, without padding.
  const isPixel = taps * columns.span === 1 && rows.start === 0 && columns.start === 0;
  const isSingle = count === 1 && gather === undefined && (groups === undefined || groups.count === 1);
  return isSingle && isPixel && channelStep === 4 && filter.isContiguous;
}

/** Computes such a product. */
export function vectorProduct(kernels: KernelModule, product: PatchProduct): void {
  const { results, channels, input, filter, output, activation = linear } = product;
  const initial = kernels.scratch.reserve(results * 4);
  clear(kernels, initial, results * 4);
  writeBias(kernels, product, initial);
  const taskColumns = divideColumns(channels, results);
  kernels.run(
    'multiplyVector',
    // prettier-ignore
    [
      input.address, filter.address, output.address, initial, channels, results, taskColumns,
      Number(activation.slope !== 1), real(activation.low), real(activation.high), real(activation.slope),
      activation.functionNumber,
    ],
    Math.ceil(results / taskColumns),
  );
}

/** Matrices with more values are read from memory, others from a cache. */
const cachedValues = 1 << 21;
/** Multiplications that make a second task worthwhile. */
const smallestWork = 1 << 18;
/** Shorter pieces of the rows are read at a lower rate. */
const fewestColumns = 384;

/** Columns of a task: whole cache lines. Depends on sizes only, never on the number of threads. */
function divideColumns(depth: number, results: number): number {
  const work = depth * results;
  const most = Math.min(work > cachedValues ? 4 : 8, 2 ** Math.floor(Math.log2(results / fewestColumns)));
  const tasks = work < smallestWork ? 1 : Math.max(2, most);
  return Math.ceil(results / tasks / 16) * 16;
}
