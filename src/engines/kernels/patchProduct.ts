// Products of patches of pictures with a matrix. For a matrix product a patch is one pixel; for a convolution the
// pixels under its filter; for its gradient with respect to the input the pixels under the rotated filter.
import { real, type KernelModule } from './kernelModule.ts';
import { clear, patchScratch, patchSizes, patchWords, type Patches, type Placement } from './patches.ts';
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
}

/** No activation. */
export const linear: PatchActivation = { low: -Infinity, high: Infinity, slope: 1 };

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
}

interface PatchGroups {
  readonly count: number;
  readonly input: number;
  readonly filter: number;
  readonly output: number;
}

const oneGroup: PatchGroups = { count: 1, input: 0, filter: 0, output: 0 };

/** Computes a product. The right matrix is packed in parts, within the limit of memory. */
export function patchProduct(kernels: KernelModule, product: PatchProduct): void {
  const { results, groups = oneGroup } = product;
  const { count, length } = patchSizes(product);
  if (count * results * groups.count === 0) return;
  const { bytes } = packing(product);
  if (bytes <= mostPackedBytes) {
    multiply(kernels, product, packing(product), cutWork(count, length, results, groups.count));
    return;
  }
  const columns = Math.ceil(results / Math.ceil(bytes / mostPackedBytes) / 8) * 8;
  for (let column = 0; column < results; column += columns) {
    const part = someColumns(product, column, Math.min(columns, results - column));
    multiply(kernels, part, packing(part), cutWork(count, length, part.results, groups.count));
  }
}

const mostPackedBytes = 16 * 1024 * 1024;

/** The product with a range of columns of the matrix. */
function someColumns(product: PatchProduct, column: number, results: number): PatchProduct {
  const { filter, output, bias } = product;
  return {
    ...product,
    results,
    filter: { ...filter, address: filter.address + column * (filter.isTransposed ? filter.line : 4) },
    output: { ...output, address: output.address + column * 4 },
    bias: bias && { ...bias, address: bias.address + (bias.isScalar ? 0 : column * 4) },
  };
}

/** Two runs: the first packs the matrix into panels of 8 columns, the second multiplies. */
function multiply(kernels: KernelModule, product: PatchProduct, matrix: Packing, cut: Cut): void {
  const { results, output, groups = oneGroup, activation = linear } = product;
  const { count, depth } = patchSizes(product);
  const scratch = patchScratch(product, cut.blockRows);
  const startBytes = Math.ceil(results / 8) * 32;
  const start = kernels.scratch.reserve(startBytes + depth * 4 + matrix.bytes + kernels.threads * scratch.bytes);
  const zeros = start + startBytes;
  const packed = zeros + depth * 4;
  clear(kernels, start, startBytes + depth * 4);
  writeBias(kernels, product, start);
  if (matrix.isPacked) packPanels(kernels, product, matrix, packed);
  kernels.run(
    'patchProduct',
    // prettier-ignore
    patchWords(product, zeros).concat(
      output.address, output.picture, output.row, output.pixel,
      matrix.isPacked ? packed : product.filter.address, groups.input, matrix.groupBytes, groups.output,
      count, cut.taskRows, cut.blockRows, results, cut.taskPanels,
      packed + matrix.bytes, scratch.bytes, scratch.tableBytes,
      Number(activation.slope !== 1), real(activation.low), real(activation.high), real(activation.slope),
      start, matrix.panelBytes, matrix.lineBytes,
    ),
    groups.count * Math.ceil(count / cut.taskRows) * Math.ceil(results / 8 / cut.taskPanels),
  );
}

function writeBias({ backend }: KernelModule, { bias, results }: PatchProduct, start: number): void {
  if (bias === undefined) return;
  const floats = floatsOf(backend);
  const from = (bias.address >>> 0) / 4; // Above 2 GiB it is a negative number.
  if (bias.isScalar) floats.fill(floats[from] ?? 0, start / 4, start / 4 + results);
  else floats.copyWithin(start / 4, from, from + results);
}

/** How the right matrix is read. */
interface Packing {
  readonly isPacked: boolean;
  /** Memory for the packed matrix, for all groups. */
  readonly bytes: number;
  readonly groupBytes: number;
  readonly panelBytes: number;
  readonly lineBytes: number;
}

/** A matrix that is multiplied with few rows is not worth packing. */
function packing(product: PatchProduct): Packing {
  const { filter, results, groups = oneGroup } = product;
  const { count, length } = patchSizes(product);
  if (count <= fewRows && filter.isContiguous && results % 8 === 0) {
    return { isPacked: false, bytes: 0, groupBytes: groups.filter, panelBytes: 32, lineBytes: results * 4 };
  }
  const panelBytes = length * 32;
  const panelsBytes = Math.ceil(results / 8) * panelBytes;
  const [bytes, groupBytes] = groups.filter === 0 ? [panelsBytes, 0] : [panelsBytes * groups.count, panelsBytes];
  return { isPacked: true, bytes, groupBytes, panelBytes, lineBytes: 32 };
}

const fewRows = 8;

/** Packs the right matrices; the parameters are those of assembly/gemmPack.ts. */
function packPanels(
  kernels: KernelModule,
  { rows, columns, channels, results, filter, groups = oneGroup }: PatchProduct,
  { groupBytes, panelBytes }: Packing,
  packed: number,
): void {
  const count = Math.ceil(results / 8);
  const tasks = Math.max(1, Math.min(wantedPackTasks, Math.ceil((count * panelBytes) / smallestPackTask)));
  const taskPanels = Math.ceil(count / tasks);
  kernels.run(
    'packPanels',
    // prettier-ignore
    [
      filter.address, groups.filter, rows.taps, columns.taps * columns.span, filter.tapRow, filter.tapColumn,
      channels, results, filter.line, Number(filter.isTransposed), packed, groupBytes, taskPanels,
    ],
    (groups.filter === 0 ? 1 : groups.count) * Math.ceil(count / taskPanels),
  );
}

const wantedPackTasks = 16;
const smallestPackTask = 64 * 1024;

// Size of a core's own cache, for a block of rows and the panels that a task multiplies them with.
const blockBytes = 64 * 1024;
const taskPanelsBytes = 512 * 1024;
const mostBlockRows = 240;
const fewestBlockRows = 24;
/** Intended number of tasks, and the multiplications that make a task worthwhile. */
const wantedTasks = 32;
const smallestTask = 1 << 19;

interface Cut {
  readonly blockRows: number;
  readonly taskRows: number;
  readonly taskPanels: number;
}

/** Divides rows and panels into tasks: depends on sizes only, never on the number of threads. */
function cutWork(rows: number, length: number, results: number, groups: number): Cut {
  const panels = Math.ceil(results / 8);
  const fitting = Math.floor(blockBytes / 4 / Math.max(length, 1) / 12) * 12; // Whole tiles of 4 and of 6 rows.
  const blockRows = Math.min(mostBlockRows, Math.max(fewestBlockRows, fitting));
  const blocks = Math.ceil(rows / blockRows);
  const work = rows * length * panels * 8;
  const tasks = Math.max(1, Math.min(Math.ceil(wantedTasks / groups), Math.floor(work / smallestTask)));
  const mostPanels = Math.max(1, Math.floor(taskPanelsBytes / 32 / (length + 1)));
  // Rows are divided first: each block of rows is read once for each group of panels.
  const rowTasks = Math.min(blocks, tasks);
  const panelTasks = Math.max(Math.ceil(panels / mostPanels), Math.min(panels, Math.ceil(tasks / rowTasks)));
  const taskPanels = Math.ceil(panels / panelTasks);
  return { blockRows, taskRows: Math.ceil(blocks / rowTasks) * blockRows, taskPanels };
}
