// Convolutions of 3×3 pixels by Winograd's transforms, which take up to four times fewer multiplications: filters,
// pixels and results are transformed, and 36 matrices are multiplied in between.
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { clear } from './patches.ts';
import { linear, someColumns, writeBias, type PatchProduct } from './products.ts';
import {
  filterBytes,
  filterThreadBytes,
  keptFilters,
  transformFilters,
  type TransformedFilters,
} from './winogradFilters.ts';
import { chunk, countTiles, points, threadMemory, winogradWords } from './winogradSizes.ts';

/** Computes a product by these transforms. Filters that are not kept are transformed in parts, to limit the memory. */
export function winogradProduct(kernels: KernelModule, product: PatchProduct): void {
  if (product.pictures === 0) return;
  const kept = keptFilters(kernels, product);
  if (kept !== undefined) {
    multiply(kernels, product, kept);
    return;
  }
  const { results, channels } = product;
  const columns = Math.max(1, Math.floor(mostFilterBytes / (points * channels * 4) / chunk)) * chunk;
  for (let column = 0; column < results; column += columns) {
    multiply(kernels, someColumns(product, column, Math.min(columns, results - column)), undefined);
  }
}

const mostFilterBytes = 16 * 1024 * 1024;

/** Multiplies in one run, after another one for the filters if they are not transformed. */
function multiply(kernels: KernelModule, product: PatchProduct, kept: TransformedFilters | undefined): void {
  const { channels, output, results, activation = linear } = product;
  const tiles = countTiles(product);
  const { blockTiles, taskPanels } = cutWork(tiles, channels, results);
  const thread = threadMemory(blockTiles, channels);
  const threadBytes = Math.max(thread.bytes, filterThreadBytes);
  const biasBytes = Math.ceil(results / 8) * 32;
  const headBytes = biasBytes + channels * 4;
  const freshBytes = kept === undefined ? filterBytes(channels, results) : 0;
  const bias = kernels.scratch.reserve(headBytes + freshBytes + kernels.threads * threadBytes);
  const scratch = bias + headBytes + freshBytes;
  const filters = kept ?? transformFilters(kernels, product, bias + headBytes, scratch);
  clear(kernels, bias, headBytes);
  writeBias(kernels, product, bias);
  const layout = { output, results, zeros: bias + biasBytes, blockTiles, scratch, threadBytes, thread };
  kernels.run(
    'winogradProduct',
    // prettier-ignore
    winogradWords(product, layout).concat(
      taskPanels, filters.address, filters.matrixBytes, bias,
      Number(activation.slope !== 1), real(activation.low), real(activation.high), real(activation.slope),
      activation.functionNumber,
    ),
    Math.ceil(tiles / blockTiles) * Math.ceil(results / 8 / taskPanels),
  );
}

interface Cut {
  readonly blockTiles: number;
  readonly taskPanels: number;
}

// Tiles of a block: the more channels, the more often its pixels must be used for each reading of the filters.
const channelsPerTile = 16 / 3;
const fewestBlockTiles = 24;
const mostBlockTiles = 96;
/** Limit of a thread's memory for a block. */
const mostBlockBytes = 8 * 1024 * 1024;
/** Whole rows of the products' inner loop, which takes 4 or 6. */
const blockStep = 12;
/** Intended number of tasks, and the panels that make up for transforming the pixels of a block once more. */
const wantedTasks = 16;
const fewestTaskPanels = 16;

/** Divides tiles and panels into tasks: depends on sizes only, never on the number of threads. */
function cutWork(tiles: number, channels: number, results: number): Cut {
  const fitting = mostBlockBytes / (points * 4 * (channels + chunk));
  const most = Math.min(
    mostBlockTiles,
    Math.max(fewestBlockTiles, channels / channelsPerTile),
    Math.max(fitting, blockStep),
  );
  const blocks = Math.ceil(tiles / most);
  const blockTiles = Math.ceil(tiles / blocks / blockStep) * blockStep;
  const panels = Math.ceil(results / 8);
  const parts = Math.min(Math.ceil(wantedTasks / blocks), Math.ceil(panels / fewestTaskPanels));
  const taskPanels = Math.ceil(panels / parts / 8) * 8;
  return { blockTiles, taskPanels };
}
