// Products of patches of pictures with a matrix. A matrix product reads patches of one pixel; a convolution those that
// its filter covers; the gradient of a convolution by its input those that the turned filter covers.
import { real, type KernelModule } from './kernelModule.ts';
import { clear, patchScratch, patchSizes, patchWords, type Patches, type Placement } from './patches.ts';

/** The matrix on the right: for each tap a matrix with a row for each channel, cut from a larger array. */
export interface PatchFilter {
  readonly address: number;
  /** Bytes from one tap to the next, in both directions. */
  readonly tapRow: number;
  readonly tapColumn: number;
  /** Bytes from one row of a tap's matrix to the next. */
  readonly line: number;
  /** Whether these rows are the columns of the product. */
  readonly isTransposed: boolean;
}

/** What sums start with, one value for each column, or one for all. */
export interface PatchBias {
  readonly address: number;
  readonly isScalar: boolean;
}

/** What happens to the sums. */
export interface PatchActivation {
  readonly low: number;
  readonly high: number;
  /** Factor for values below zero. */
  readonly slope: number;
}

/** Sums as they are. */
export const linear: PatchActivation = { low: -Infinity, high: Infinity, slope: 1 };

/** A product. */
export interface PatchProduct extends Patches {
  readonly output: Placement;
  readonly filter: PatchFilter;
  /** Columns of the product. */
  readonly results: number;
  readonly bias?: PatchBias | undefined;
  readonly activation?: PatchActivation;
  /** Products of their own: bytes from one to the next. */
  readonly groups?: PatchGroups;
}

interface PatchGroups {
  readonly count: number;
  readonly input: number;
  readonly filter: number;
  readonly output: number;
}

const oneGroup: PatchGroups = { count: 1, input: 0, filter: 0, output: 0 };

/** Computes a product, in two runs: one packs the matrix into panels of 8 columns, the other multiplies. */
export function patchProduct(kernels: KernelModule, product: PatchProduct): void {
  const { results, groups = oneGroup } = product;
  const { count, depth, length } = patchSizes(product);
  if (count * results * groups.count === 0) return;
  const cut = cutWork(count, length, results, groups.count);
  const panelsBytes = Math.ceil(results / 8) * (1 + length) * 32;
  const filters = groups.filter === 0 ? 1 : groups.count;
  const scratch = patchScratch(product, cut.blockRows);
  const panels = kernels.scratch.reserve(filters * panelsBytes + depth * 4 + kernels.threads * scratch.bytes);
  const zeros = panels + filters * panelsBytes;
  clear(kernels, zeros, depth * 4);
  packPanels(kernels, product, filters, panels, panelsBytes);
  const { output, activation = linear } = product;
  kernels.run(
    'patchProduct',
    [
      ...patchWords(product, zeros),
      ...[output.address, output.picture, output.row, output.pixel],
      ...[panels, groups.input, groups.filter === 0 ? 0 : panelsBytes, groups.output],
      ...[count, cut.taskRows, cut.blockRows, results, cut.taskPanels],
      ...[zeros + depth * 4, scratch.bytes, scratch.tableBytes],
      ...[Number(activation.slope !== 1), real(activation.low), real(activation.high), real(activation.slope)],
    ],
    groups.count * Math.ceil(count / cut.taskRows) * Math.ceil(results / 8 / cut.taskPanels),
  );
}

/** Packs the matrices on the right; the parameters of assembly/gemmPack.ts. */
function packPanels(
  kernels: KernelModule,
  { rows, columns, channels, results, filter, bias, groups = oneGroup }: PatchProduct,
  filters: number,
  panels: number,
  panelsBytes: number,
): void {
  const count = Math.ceil(results / 8);
  const tasks = Math.min(count, wantedPackTasks, Math.ceil(panelsBytes / smallestPackTask));
  const taskPanels = Math.ceil(count / tasks);
  const biasStep = bias === undefined || bias.isScalar ? 0 : 4;
  kernels.run(
    'packPanels',
    [
      ...[filter.address, groups.filter, rows.taps, columns.taps * columns.span, filter.tapRow, filter.tapColumn],
      ...[channels, results, filter.line, Number(filter.isTransposed), bias?.address ?? 0, biasStep],
      ...[panels, panelsBytes, taskPanels],
    ],
    filters * Math.ceil(count / taskPanels),
  );
}

const wantedPackTasks = 16;
const smallestPackTask = 64 * 1024;

// A core's own cache holds a block of rows, and the panels that a task multiplies them with.
const blockBytes = 256 * 1024;
const taskPanelsBytes = 512 * 1024;
const mostBlockRows = 240;
const fewestBlockRows = 24;
/** Tasks to aim at, and the multiplications that make one worth its while. */
const wantedTasks = 32;
const smallestTask = 1 << 19;

interface Cut {
  readonly blockRows: number;
  readonly taskRows: number;
  readonly taskPanels: number;
}

/** How rows and panels become tasks: by sizes alone, never by the number of threads. */
function cutWork(rows: number, length: number, results: number, groups: number): Cut {
  const panels = Math.ceil(results / 8);
  const fitting = Math.floor(blockBytes / 4 / Math.max(length, 1) / 12) * 12; // Whole tiles of 4 and of 6 rows.
  const blockRows = Math.min(mostBlockRows, Math.max(fewestBlockRows, fitting));
  const blocks = Math.ceil(rows / blockRows);
  const work = rows * length * panels * 8;
  const tasks = Math.max(1, Math.min(Math.ceil(wantedTasks / groups), Math.floor(work / smallestTask)));
  const mostPanels = Math.max(1, Math.floor(taskPanelsBytes / 32 / (length + 1)));
  // Rows are shared out first: each block of rows is read once for each group of panels.
  const rowTasks = Math.min(blocks, tasks);
  const panelTasks = Math.max(Math.ceil(panels / mostPanels), Math.min(panels, Math.ceil(tasks / rowTasks)));
  const taskPanels = Math.ceil(panels / panelTasks);
  return { blockRows, taskRows: Math.ceil(blocks / rowTasks) * blockRows, taskPanels };
}
