// Filters of Winograd's convolutions: transformed in each call, or once if they are constants.
import { derivedValues } from './constants.ts';
import type { KernelModule } from './kernelModule.ts';
import type { PatchProduct } from './products.ts';
import { points, spread } from './winogradSizes.ts';

/** 36 matrices in panels of 8 columns. */
export interface TransformedFilters {
  readonly address: number;
  /** Bytes from one matrix to the next. */
  readonly matrixBytes: number;
}

/** Memory of a thread, as in assembly/winogradFilter.ts. */
export const filterThreadBytes = 1024;

/** Memory of transformed filters. */
export function filterBytes(channels: number, results: number): number {
  return points * matrixBytes(channels, results);
}

function matrixBytes(channels: number, results: number): number {
  return spread(Math.ceil(results / 8) * channels * 32);
}

/** Returns filters that are transformed once; undefined if they may change, or if there is no memory to keep them. */
export function keptFilters(kernels: KernelModule, product: PatchProduct): TransformedFilters | undefined {
  const { filter, channels, results } = product;
  const address = derivedValues(kernels.backend, filter.dataId, filterBytes(channels, results), (to) => {
    transformFilters(kernels, product, to, kernels.scratch.reserve(kernels.threads * filterThreadBytes));
  });
  return address === undefined ? undefined : { address, matrixBytes: matrixBytes(channels, results) };
}

/** Transforms filters. */
export function transformFilters(
  kernels: KernelModule,
  { filter, channels, results }: PatchProduct,
  address: number,
  scratch: number,
): TransformedFilters {
  const panels = Math.ceil(results / 8);
  const taskPanels = Math.max(fewestTaskPanels, Math.ceil(panels / wantedTasks));
  const bytes = matrixBytes(channels, results);
  kernels.run(
    'transformFilters',
    // prettier-ignore
    [
      filter.address, filter.tapRow, filter.tapColumn, filter.line, Number(filter.isTransposed),
      channels, results, address, bytes, taskPanels, scratch,
    ],
    Math.ceil(panels / taskPanels),
  );
  return { address, matrixBytes: bytes };
}

const wantedTasks = 16;
/** Panels that share cache lines of the filters. */
const fewestTaskPanels = 2;
