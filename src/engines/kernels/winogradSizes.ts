// Sizes of Winograd's convolutions, and the parameters that all their kernels have.
import type { Patches, Placement } from './patches.ts';

// As in assembly/winogradTile.ts.
const tile = 4;
export const points = 36;
/** Channels, or columns of results, that are transformed together. */
export const chunk = 64;
const tileBytes = 256 + points * chunk * 4 + chunk * 4;

/** With fewer channels or columns, transforms cost too much. */
const fewest = 16;
/** Tiles in a picture. The number of pictures must not matter: results would depend on the batch. */
const fewestTiles = 4;
/** Share of the tiles' pixels that are results. */
const fewestUsed = 0.5;

/** Whether Winograd's transforms make a convolution faster. Depends on the sizes of one picture. */
export function isWinograd({ rows, columns, channels, channelStep = 4 }: Patches, results: number): boolean {
  const isPlain = [rows, columns].every(
    ({ taps, span, stride, step }) => taps * span === 3 && stride === 1 && step === 1,
  );
  if (!isPlain || channelStep !== 4) return false;
  if (channels < fewest || results < fewest || channels % 4 !== 0 || results % 4 !== 0) return false;
  const tiles = tilesOf(rows.output) * tilesOf(columns.output);
  return tiles >= fewestTiles && rows.output * columns.output >= fewestUsed * tiles * tile * tile;
}

function tilesOf(size: number): number {
  return Math.ceil(size / tile);
}

/** Number of tiles in all pictures. */
export function countTiles({ pictures, rows, columns }: Patches): number {
  return pictures * tilesOf(rows.output) * tilesOf(columns.output);
}

/** Memory of a thread, in bytes. */
export interface ThreadMemory {
  /** From one matrix of pixels to the next, and from one matrix of products. */
  readonly pixels: number;
  readonly products: number;
  /** All together. */
  readonly bytes: number;
}

/** Computes the memory of a thread for a block of tiles with some channels. */
export function threadMemory(blockTiles: number, channels: number): ThreadMemory {
  const pixels = spread(blockTiles * channels * 4);
  const products = spread(blockTiles * chunk * 4);
  return { pixels, products, bytes: spread(tileBytes + points * (pixels + products)) };
}

/** Rounds up to an odd number of cache lines: values at the same place of many matrices do not evict each other. */
export function spread(bytes: number): number {
  return (Math.ceil(bytes / 64) | 1) * 64;
}

/** Where the values are, and how the tiles are divided. */
interface Layout {
  readonly output: Placement;
  readonly results: number;
  /** Address of zeros, as many as channels or results. */
  readonly zeros: number;
  readonly blockTiles: number;
  /** Address of the threads' memory, and the bytes of each. */
  readonly scratch: number;
  readonly threadBytes: number;
  readonly thread: ThreadMemory;
}

/** The first parameters, as in assembly/winogradParameters.ts. */
export function winogradWords(patches: Patches, layout: Layout): number[] {
  const { rows, columns, channels, input } = patches;
  const { output, results, zeros, thread } = layout;
  // prettier-ignore
  return [
    input.address, input.picture, input.row, input.pixel, rows.input, columns.input, rows.start, columns.start,
    channels, zeros,
    output.address, output.picture, output.row, output.pixel, rows.output, columns.output, 0, 0, results, zeros,
    countTiles(patches), layout.blockTiles, layout.scratch, layout.threadBytes, thread.pixels, thread.products,
  ];
}
