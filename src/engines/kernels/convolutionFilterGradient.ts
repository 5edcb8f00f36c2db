// The gradient of a convolution with respect to its filter, on the module: for each tap, the transposed pixels that it
// read, times the gradient of the output.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { columnsOf, convolutionShape, isFloat, rowsOf, shape4 } from './convolutionShape.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import {
  clear,
  joinTaps,
  patchScratch,
  patchSizes,
  patchWords,
  picturesAt,
  type Patches,
  type Placement,
} from './patches.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';
import { fewestGradientTiles, winogradGradient } from './winogradGradient.ts';
import { countTiles, isWinograd } from './winogradSizes.ts';

/** Kernel of tfjs for this gradient. */
export const convolutionFilterGradientMaker = kernelOrOriginal('Conv2DBackpropFilter', filterGradient);

function filterGradient(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { x, dy } = inputs;
  if (!isFloat(x) || !isFloat(dy)) return undefined;
  const filterShape = attrs?.filterShape;
  const shape = Array.isArray(filterShape) ? convolutionShape(x.shape, filterShape.map(Number), attrs) : undefined;
  const slope = shape4(dy.shape);
  if (!shape || slope?.[0] !== shape.batchSize || slope[3] !== shape.outChannels) return undefined;
  // Only the output's shape shows how the forward pass rounded.
  const [, outHeight, outWidth] = slope;
  const { inHeight, inWidth, inChannels, outChannels } = shape;
  const out = makeOutput(backend, shape.filterShape, 'float32');
  const columns = columnsOf({ ...shape, outWidth });
  const patches: Patches = {
    pictures: shape.batchSize,
    rows: rowsOf({ ...shape, outHeight }),
    columns: inChannels < fewestChannels ? joinTaps(columns, inChannels) : columns,
    channels: inChannels,
    input: picturesAt(addressOf(backend, x), inHeight, inWidth, inChannels),
  };
  const slopeAt = picturesAt(addressOf(backend, dy), outHeight, outWidth, outChannels);
  const byTransforms = isWinograd(patches, outChannels) && countTiles(patches) >= fewestGradientTiles;
  const compute = byTransforms ? winogradGradient : run;
  compute(kernels, patches, slopeAt, outChannels, addressOf(backend, out));
  return out;
}

/** With less than two tiles of channels, adjacent taps are joined. */
const fewestChannels = 8;

/**
 * Two runs: sums of parts of the rows, then their total. The parameters are those of assembly/convFilterParameters.ts.
 */
function run(kernels: KernelModule, patches: Patches, slope: Placement, results: number, result: number): void {
  const { count, taps, depth } = patchSizes(patches);
  const panels = Math.ceil(results / 8);
  if (taps * depth * panels === 0) return;
  const cut = cutWork(count, taps, depth, panels, isSpread(patches));
  const parts = Math.max(1, Math.ceil(count / cut.taskRows));
  const sumsBytes = parts * taps * panels * depth * 32;
  const sumTasks = Math.min(wantedTasks, Math.ceil(((sumsBytes / 4) * sumWork) / smallestTask));
  const sumPanels = Math.ceil((taps * panels) / sumTasks);
  const thread = threadScratch(patches, cut, results);
  const sums = kernels.scratch.reserve(sumsBytes + depth * 4 + kernels.threads * thread.bytes);
  const zeros = sums + sumsBytes;
  clear(kernels, zeros, depth * 4);
  // prettier-ignore
  const words = patchWords(patches, zeros).concat(
    slope.address, slope.picture, slope.row, slope.pixel,
    0, 0, 0, 0, // Panels and groups of products: unused.
    count, cut.taskRows, cut.blockRows, results, cut.taskPanels,
    zeros + depth * 4, thread.bytes, thread.tableBytes,
    0, 0, 0, 0, // Activation of products: unused.
    cut.taskTaps, sums, parts, result, sumPanels, thread.packed, thread.copies,
  );
  kernels.run('filterGradient', words, parts * Math.ceil(taps / cut.taskTaps) * Math.ceil(panels / cut.taskPanels));
  kernels.run('filterGradientSum', words, Math.ceil((taps * panels) / sumPanels));
}

/** Memory of a thread for a block of rows; addresses of unused copies are 0. */
function threadScratch(patches: Patches, { blockRows, taskPanels }: Cut, results: number) {
  const { tableBytes, bytes } = patchScratch(patches, blockRows);
  // With few channels for each column, reading columns in place costs less than packing them.
  const isPacked = patchSizes(patches).length > fewChannels || results % 8 !== 0;
  const packedBytes = isPacked ? blockRows * taskPanels * 32 : 0;
  const copiedBytes = isSpread(patches) ? blockRows * (64 + 4) : 0;
  return {
    tableBytes,
    bytes: bytes + packedBytes + copiedBytes,
    packed: isPacked ? bytes : 0,
    copies: isSpread(patches) ? bytes + packedBytes : 0,
  };
}

const fewChannels = 32;

/** Whether consecutive pixels of a tap are so far apart that they compete for few places in the cache. */
function isSpread({ columns, channels, input }: Patches): boolean {
  return (columns.stride * input.pixel) % 4096 === 0 && channels % 16 === 0;
}

interface Cut {
  readonly taskRows: number;
  readonly blockRows: number;
  readonly taskTaps: number;
  readonly taskPanels: number;
}

// Size of a core's own cache, for a block of pixels and the sums of a task. The numbers of rows make panels of an odd
// number of cache lines, so that rows of several panels do not evict each other.
const blockBytes = 256 * 1024;
const taskSumsBytes = 256 * 1024;
const spreadBlockRows = 250;
const mostBlockRows = 130;
const fewestBlockRows = 66;
const fewestTaskPanels = 4;
/** Most parts of the rows; each is so long that adding up the parts costs little. */
const mostParts = 16;
const fewestPartRows = 1024;
/** Intended number of tasks, and the multiplications that make a task worthwhile; a sum counts as several. */
const wantedTasks = 32;
const smallestTask = 1 << 19;
const sumWork = 16;

/** Divides rows, taps and panels into tasks: depends on sizes only, never on the number of threads. */
function cutWork(rows: number, taps: number, depth: number, panels: number, isSpread: boolean): Cut {
  const fitting = Math.floor(blockBytes / 16 / depth) * 4 + 2;
  const blockRows = isSpread ? spreadBlockRows : Math.min(mostBlockRows, Math.max(fewestBlockRows, fitting));
  const work = rows * taps * depth * panels * 8;
  const tasks = Math.max(1, Math.min(wantedTasks, Math.floor(work / smallestTask)));
  const parts = Math.max(1, Math.min(mostParts, tasks, Math.floor(rows / fewestPartRows)));
  const taskRows = Math.max(1, Math.ceil(rows / parts / blockRows)) * blockRows;
  const mostPanels = taskSumsBytes / 32 / depth; // For one tap.
  const wanted = Math.ceil((taps * panels) / Math.ceil(tasks / parts));
  const share = Math.max(1, Math.min(taps * panels, wanted, mostPanels));
  const taskTaps = Math.max(1, Math.min(taps, Math.floor(share / panels)));
  const taskPanels = Math.min(panels, Math.max(Math.floor(share / taskTaps), fewestTaskPanels));
  return { taskRows, blockRows, taskTaps, taskPanels };
}
