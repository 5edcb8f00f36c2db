// Products of patches of pictures with a matrix. For a matrix product a patch is one pixel; for a convolution the
// pixels under its filter; for its gradient with respect to the input the pixels under the rotated filter.
import type { KernelModule } from './kernelModule.ts';
import type { Patches, Placement } from './patches.ts';
import { floatsOf } from './wasmHeap.ts';

/** The right matrix: for each tap a matrix with a row for each channel, within a larger array. */
interface PatchFilter {
  readonly address: number;
  /** Bytes from one tap to the next, in both directions. */
  readonly tapRow: number;
  readonly tapColumn: number;
  /** Bytes from one row of a tap's matrix to the next. */
  readonly line: number;
  /** Whether these rows are the columns of the product. */
  readonly isTransposed: boolean;
  /** Whether all rows, tap by tap, are consecutive in memory. */
  readonly isContiguous: boolean;
  /** The tensor that consists of all taps, if there is one and it is not transposed. */
  readonly dataId?: object;
}

/** Initial values of the sums, one for each column, or one for all. */
export interface PatchBias {
  readonly address: number;
  readonly isScalar: boolean;
}

/** The activation of the sums. */
export interface PatchActivation {
  readonly low: number;
  readonly high: number;
  /** Factor for values below zero. */
  readonly slope: number;
  /** Number of the function that follows (functionConstants.ts); 0 for none. */
  readonly functionNumber: number;
}

/** No activation. */
export const linear: PatchActivation = { low: -Infinity, high: Infinity, slope: 1, functionNumber: 0 };

/** A product. */
export interface PatchProduct extends Patches {
  readonly output: Placement;
  readonly filter: PatchFilter;
  /** Number of columns of the product. */
  readonly results: number;
  readonly bias?: PatchBias | undefined;
  readonly activation?: PatchActivation;
  /** Independent products: bytes from one to the next. */
  readonly groups?: PatchGroups;
  /** How rows are put together, instead of being read from `input`. */
  readonly gather?: Gather;
}

/**
 * Joins rows of several tensors to one row. Then it multiplies each channel by a scale, adds a shift and clips the result.
 */
export interface Gather {
  readonly pieces: readonly { readonly address: number; readonly rowBytes: number }[];
  readonly scale: number;
  readonly shift: number;
  readonly low: number;
  readonly high: number;
}

interface PatchGroups {
  readonly count: number;
  readonly input: number;
  readonly filter: number;
  readonly output: number;
}

/** A single product. */
export const oneGroup: PatchGroups = { count: 1, input: 0, filter: 0, output: 0 };

/** The product with a range of columns of the matrix. */
export function someColumns(product: PatchProduct, column: number, results: number): PatchProduct {
  const { filter, output, bias } = product;
  return {
    ...product,
    results,
    filter: { ...filter, address: filter.address + column * (filter.isTransposed ? filter.line : 4) },
    output: { ...output, address: output.address + column * 4 },
    bias: bias && { ...bias, address: bias.address + (bias.isScalar ? 0 : column * 4) },
  };
}

/** Writes the initial values of the sums of all columns. */
export function writeBias({ backend }: KernelModule, { bias, results }: PatchProduct, start: number): void {
  if (bias === undefined) return;
  const floats = floatsOf(backend);
  const from = (bias.address >>> 0) / 4; // Above 2 GiB it is a negative number.
  if (bias.isScalar) floats.fill(floats[from] ?? 0, start / 4, start / 4 + results);
  else floats.copyWithin(start / 4, from, from + results);
}
