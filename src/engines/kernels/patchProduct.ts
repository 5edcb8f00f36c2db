// Computes products of patches with a matrix: by Winograd's convolution where that takes fewer multiplications, and a
// single patch without packing the matrix.
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { clear, patchScratch, patchSizes, patchWords } from './patches.ts';
import { linear, oneGroup, someColumns, writeBias, type Gather, type PatchProduct } from './products.ts';
import { isVector, vectorProduct } from './vectorProduct.ts';
import { memoryOf } from './wasmHeap.ts';
import { winogradProduct } from './winograd.ts';
import { isWinograd } from './winogradSizes.ts';

/** Computes a product. The right matrix is packed in parts, within the limit of memory. */
export function patchProduct(kernels: KernelModule, product: PatchProduct): void {
  if (product.groups === undefined && product.gather === undefined && isWinograd(product, product.results)) {
    winogradProduct(kernels, product);
    return;
  }
  const { results, groups = oneGroup } = product;
  const { count, length } = patchSizes(product);
  if (count * results * groups.count === 0) return;
  if (isVector(product)) {
    vectorProduct(kernels, product);
    return;
  }
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

/** Two runs: the first packs the matrix into panels of 8 columns, the second multiplies. */
function multiply(kernels: KernelModule, product: PatchProduct, matrix: Packing, cut: Cut): void {
  const { results, output, groups = oneGroup, activation = linear } = product;
  const { count, depth } = patchSizes(product);
  const scratch = patchScratch(product, cut.blockRows, product.gather !== undefined);
  const startBytes = Math.ceil(results / 8) * 32;
  const words = product.gather === undefined ? [] : gatherWords(product.gather);
  const threadsBytes = kernels.threads * scratch.bytes;
  const start = kernels.scratch.reserve(startBytes + depth * 4 + matrix.bytes + threadsBytes + words.length * 4);
  const zeros = start + startBytes;
  const packed = zeros + depth * 4;
  clear(kernels, start, startBytes + depth * 4);
  writeBias(kernels, product, start);
  const gather = packed + matrix.bytes + threadsBytes;
  if (words.length > 0) new Int32Array(memoryOf(kernels.backend).buffer, gather, words.length).set(words);
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
      start, matrix.panelBytes, matrix.lineBytes, activation.functionNumber, words.length > 0 ? gather : 0,
    ),
    groups.count * Math.ceil(count / cut.taskRows) * Math.ceil(results / 8 / cut.taskPanels),
  );
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

/** The words of assembly/gemmGather.ts. */
function gatherWords({ pieces, scale, shift, low, high }: Gather): number[] {
  const places = pieces.flatMap(({ address, rowBytes }) => [address, rowBytes]);
  return [pieces.length, scale, shift, real(low), real(high), ...places];
}

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
