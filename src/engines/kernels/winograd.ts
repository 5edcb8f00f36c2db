// Convolutions of 3×3 pixels by Winograd's transforms, which take up to four times fewer multiplications: filters,
// pixels and results are transformed, and 36 matrices are multiplied in between.
import { real, type KernelModule } from './kernelModule.ts';
import { clear } from './patches.ts';
import { linear, someColumns, writeBias, type PatchProduct } from './products.ts';
import {
  filterBytes,
  filterThreadBytes,
  keptFilters,
  spread,
  transformFilters,
  type TransformedFilters,
} from './winogradFilters.ts';

// As in assembly/winogradTile.ts.
const tile = 4;
const points = 36;
const chunk = 64;
const tileBytes = 256 + points * chunk * 4 + chunk * 4;

/** With fewer channels or columns, transforms cost too much. */
const fewest = 32;
/** Tiles in a picture. The number of pictures must not matter: results would depend on the batch. */
const fewestTiles = 4;
/** Share of the tiles' pixels that are results. */
const fewestUsed = 0.5;

/** Whether a product is a convolution that Winograd's transforms make faster. Depends on the sizes of one picture. */
export function isWinograd({ rows, columns, channels, results, ...rest }: PatchProduct): boolean {
  const isPlain = [rows, columns].every(
    ({ taps, span, stride, step }) => taps * span === 3 && stride === 1 && step === 1,
  );
  if (!isPlain || rest.groups !== undefined || (rest.channelStep ?? 4) !== 4) return false;
  if (channels < fewest || results < fewest || channels % 4 !== 0 || results % 4 !== 0) return false;
  const tiles = tilesOf(rows.output) * tilesOf(columns.output);
  return tiles >= fewestTiles && rows.output * columns.output >= fewestUsed * tiles * tile * tile;
}

function tilesOf(size: number): number {
  return Math.ceil(size / tile);
}

/** Computes such a product. Filters that are not kept are transformed in parts, within the limit of memory. */
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
  const { pictures, rows, columns, channels, input, output, results, activation = linear } = product;
  const tiles = pictures * tilesOf(rows.output) * tilesOf(columns.output);
  const cut = cutWork(tiles, channels, results);
  const thread = threadScratch(cut.blockTiles, channels);
  const biasBytes = Math.ceil(results / 8) * 32;
  const headBytes = biasBytes + channels * 4;
  const freshBytes = kept === undefined ? filterBytes(channels, results) : 0;
  const threadBytes = Math.max(thread.bytes, filterThreadBytes);
  const bias = kernels.scratch.reserve(headBytes + freshBytes + kernels.threads * threadBytes);
  const scratch = bias + headBytes + freshBytes;
  const filters = kept ?? transformFilters(kernels, product, bias + headBytes, scratch);
  clear(kernels, bias, headBytes);
  writeBias(kernels, product, bias);
  kernels.run(
    'winogradProduct',
    // prettier-ignore
    [
      input.address, input.picture, input.row, input.pixel, rows.input, columns.input, rows.start, columns.start,
      channels, bias + biasBytes,
      output.address, output.picture, output.row, output.pixel, rows.output, columns.output, results,
      filters.address, filters.matrixBytes, tiles, cut.blockTiles, cut.taskPanels,
      scratch, threadBytes, thread.pixelBytes, thread.productBytes, bias,
      Number(activation.slope !== 1), real(activation.low), real(activation.high), real(activation.slope),
    ],
    Math.ceil(tiles / cut.blockTiles) * Math.ceil(results / 8 / cut.taskPanels),
  );
}

/** Memory of a thread: the bytes of a matrix of pixels, of a matrix of products, and of all together. */
function threadScratch(blockTiles: number, channels: number) {
  const pixelBytes = spread(blockTiles * channels * 4);
  const productBytes = spread(blockTiles * chunk * 4);
  return { pixelBytes, productBytes, bytes: spread(tileBytes + points * (pixelBytes + productBytes)) };
}

interface Cut {
  readonly blockTiles: number;
  readonly taskPanels: number;
}

// Tiles of a block: the more channels, the more often its pixels must be used for each reading of the filters.
const channelsPerTile = 16 / 3;
const fewestBlockTiles = 24;
const mostBlockTiles = 96;
/** Whole rows of the products' inner loop, which takes 4 or 6. */
const blockStep = 12;
/** Intended number of tasks, and the panels that make up for transforming the pixels of a block once more. */
const wantedTasks = 16;
const fewestTaskPanels = 16;

/** Divides tiles and panels into tasks: depends on sizes only, never on the number of threads. */
function cutWork(tiles: number, channels: number, results: number): Cut {
  const most = Math.min(mostBlockTiles, Math.max(fewestBlockTiles, channels / channelsPerTile));
  const blocks = Math.ceil(tiles / most);
  const blockTiles = Math.ceil(tiles / blocks / blockStep) * blockStep;
  const panels = Math.ceil(results / 8);
  const parts = Math.min(Math.ceil(wantedTasks / blocks), Math.ceil(panels / fewestTaskPanels));
  const taskPanels = Math.ceil(panels / parts / 8) * 8;
  return { blockTiles, taskPanels };
}
