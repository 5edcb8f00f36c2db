// Products of patches of pictures with a matrix. A matrix product reads patches of one pixel; a convolution those that
// its filter covers; the gradient of a convolution by its input those that the turned filter covers.
import { real, type KernelModule } from './kernelModule.ts';

/** One axis of the pictures: output position `p` reads, through tap `t`, the input position `start + p * stride + t * step`. */
export interface PatchAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly start: number;
  readonly stride: number;
  readonly step: number;
  /** Input positions side by side that belong to one tap. */
  readonly span: number;
}

/** Where values are, in bytes. */
export interface Placement {
  readonly address: number;
  readonly picture: number;
  readonly row: number;
  readonly pixel: number;
}

/** The matrix on the right: for each tap one of `depth` rows, cut from a larger array. */
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
export interface PatchProduct {
  readonly pictures: number;
  readonly rows: PatchAxis;
  readonly columns: PatchAxis;
  /** Values of a pixel. */
  readonly channels: number;
  /** Bytes from one value of a pixel to the next: 4, but for a matrix that is read transposed. */
  readonly channelStep?: number;
  readonly input: Placement;
  readonly output: Placement;
  readonly filter: PatchFilter;
  /** Columns of the product. */
  readonly results: number;
  readonly bias?: PatchBias | undefined;
  readonly activation?: PatchActivation;
  /** Products of their own: bytes from one to the next. */
  readonly groups?: {
    readonly count: number;
    readonly input: number;
    readonly filter: number;
    readonly output: number;
  };
}

// A core's own cache holds a block of rows, and the panels that a task multiplies them with.
const blockBytes = 256 * 1024;
const panelsBytes = 512 * 1024;
const mostBlockRows = 240;
const fewestBlockRows = 24;
/** Tasks to aim at, and the multiplications that make one worth its while. */
const wantedTasks = 32;
const smallestTask = 1 << 19;

const oneGroup = { count: 1, input: 0, filter: 0, output: 0 };

/** Computes a product, in two runs: one packs the matrix, the other multiplies. */
export function patchProduct(kernels: KernelModule, product: PatchProduct): void {
  const { rows, columns, channels, results, pictures, groups = oneGroup, activation = linear } = product;
  const taps = rows.taps * columns.taps;
  const depth = columns.span * channels;
  const length = taps * depth;
  const count = pictures * rows.output * columns.output;
  if (count * results * groups.count === 0) return;
  const cut = cutWork(count, length, results, groups.count);

  const panels = Math.ceil(results / 8);
  const panelBytes = (1 + length) * 32;
  const zerosBytes = depth * 4;
  const tableBytes = tilesBytes(cut.blockRows, taps);
  const edgesBytes = columns.span > 1 ? cut.blockRows * length * 4 : 0;
  const threadBytes = tableBytes + edgesBytes;
  const packed = kernels.scratch.reserve(
    groups.count * panels * panelBytes + zerosBytes + kernels.threads * threadBytes + 64,
  );
  const zeros = packed + groups.count * panels * panelBytes;
  const scratch = zeros + zerosBytes;

  const packPanels = Math.ceil(panels / Math.max(1, Math.min(16, Math.floor((panels * panelBytes) / 65536))));
  const packTasks = groups.count * Math.ceil(panels / packPanels);
  const { filter, bias } = product;
  kernels.run(
    'packPanels',
    [
      ...[filter.address, groups.filter, rows.taps, columns.taps * columns.span, filter.tapRow, filter.tapColumn],
      ...[channels, results],
      ...[filter.line, Number(filter.isTransposed), bias?.address ?? 0, bias === undefined || bias.isScalar ? 0 : 4],
      ...[packed, panels * panelBytes, packPanels, zeros, zerosBytes],
    ],
    packTasks,
  );
  const { input, output } = product;
  kernels.run(
    'patchProduct',
    [
      ...[input.address, input.picture, input.row, input.pixel, rows.input, columns.input, rows.output, columns.output],
      ...[rows.stride, columns.stride, rows.start, columns.start, rows.taps, columns.taps, rows.step, columns.step],
      ...[columns.span, depth, product.channelStep ?? 4, zeros],
      ...[output.address, output.picture, output.row, output.pixel],
      ...[packed, groups.input, panels * panelBytes, groups.output],
      ...[count, cut.taskRows, cut.blockRows, results, cut.taskPanels],
      ...[scratch, threadBytes, tableBytes],
      ...[Number(activation.slope !== 1), real(activation.low), real(activation.high), real(activation.slope)],
    ],
    groups.count * Math.ceil(count / cut.taskRows) * Math.ceil(panels / cut.taskPanels),
  );
}

/** How rows and panels become tasks: by sizes alone, never by the number of threads. */
function cutWork(
  rows: number,
  length: number,
  results: number,
  groups: number,
): { readonly blockRows: number; readonly taskRows: number; readonly taskPanels: number } {
  const panels = Math.ceil(results / 8);
  const fitting = Math.floor(blockBytes / 4 / Math.max(length, 1) / 12) * 12;
  const blockRows = Math.min(mostBlockRows, Math.max(fewestBlockRows, fitting));
  const blocks = Math.ceil(rows / blockRows);
  const work = rows * length * panels * 8;
  const tasks = Math.max(1, Math.min(Math.ceil(wantedTasks / groups), Math.floor(work / smallestTask)));
  const mostPanels = Math.max(1, Math.floor(panelsBytes / 32 / (length + 1)));
  // Rows are shared out first: each block of rows is read once for each group of panels.
  const rowTasks = Math.min(blocks, tasks);
  const panelTasks = Math.max(Math.ceil(panels / mostPanels), Math.min(panels, Math.ceil(tasks / rowTasks)));
  return {
    blockRows,
    taskRows: Math.ceil(blocks / rowTasks) * blockRows,
    taskPanels: Math.ceil(panels / panelTasks),
  };
}

/** Room for tables of tiles of 4 or 6 rows: of each row the addresses of its result and its taps. */
function tilesBytes(rows: number, taps: number): number {
  return (rows + 12) * (1 + taps) * 4;
}

/** An axis of pixels that are read one by one. */
export function oneByOne(size: number): PatchAxis {
  return { input: size, output: size, taps: 1, start: 0, stride: 1, step: 1, span: 1 };
}

/** Where whole pictures are. */
export function picturesAt(address: number, height: number, width: number, channels: number): Placement {
  const pixel = channels * 4;
  return { address, picture: height * width * pixel, row: width * pixel, pixel };
}

/**
 * Taps side by side as one long one, where their values follow each other in memory: few channels make short loops.
 *
 * @param axis - An axis of columns.
 */
export function joinTaps(axis: PatchAxis, channels: number): PatchAxis {
  if (axis.step !== 1 || axis.taps === 1 || channels > mostJoined) return axis;
  return { ...axis, taps: 1, span: axis.taps };
}

/** Above it, the loop over the channels of one pixel is long enough. */
const mostJoined = 64;
