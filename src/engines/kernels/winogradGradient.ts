// The gradient of convolutions of 3×3 pixels with respect to their filters, by Winograd's transforms.
import type { KernelModule } from './kernelModule.ts';
import { clear, type Patches, type Placement } from './patches.ts';
import { chunk, countTiles, points, spread, threadMemory, winogradWords } from './winogradSizes.ts';

/** With fewer tiles, the transforms of the sums cost too much. */
export const fewestGradientTiles = 16;

/** Sums of a chunk of channels times a chunk of columns, as in assembly/winogradGradient.ts. */
const sumBytes = points * spread(chunk * chunk * 4);

/**
 * Computes the gradient. Columns are divided to limit the memory.
 *
 * @param slope - The gradient of the output.
 * @param result - Address of the filters' gradient.
 */
export function winogradGradient(
  kernels: KernelModule,
  patches: Patches,
  slope: Placement,
  results: number,
  result: number,
): void {
  const channelChunks = Math.ceil(patches.channels / chunk);
  const columns = Math.max(1, Math.floor(mostSumsBytes / sumBytes / channelChunks)) * chunk;
  for (let column = 0; column < results; column += columns) {
    const output = { ...slope, address: slope.address + column * 4 };
    const part = { output, results: Math.min(columns, results - column) };
    addUp(kernels, patches, part, { address: result + column * 4, line: results * 4 });
  }
}

const mostSumsBytes = 40 * 1024 * 1024;

/** Two runs: sums of parts of the tiles, then their total and the transform to filters. */
function addUp(
  kernels: KernelModule,
  patches: Patches,
  part: { readonly output: Placement; readonly results: number },
  result: { readonly address: number; readonly line: number },
): void {
  const { channels } = patches;
  const units = Math.ceil(channels / chunk) * Math.ceil(part.results / chunk);
  const tiles = countTiles(patches);
  const partTiles = cutTiles(tiles, units);
  const parts = Math.ceil(tiles / partTiles);
  const thread = threadMemory(blockTiles, chunk);
  const zerosBytes = Math.max(channels, part.results) * 4;
  const sumsBytes = parts * units * sumBytes;
  const zeros = kernels.scratch.reserve(zerosBytes + sumsBytes + kernels.threads * thread.bytes);
  clear(kernels, zeros, zerosBytes);
  const sums = zeros + zerosBytes;
  const layout = { ...part, zeros, blockTiles, scratch: sums + sumsBytes, threadBytes: thread.bytes, thread };
  const words = winogradWords(patches, layout).concat(
    ...[partTiles, sums, parts, result.address, result.line, sumChannels],
  );
  kernels.run('winogradGradient', words, parts * units);
  kernels.run('winogradGradientSum', words, units * (chunk / sumChannels));
}

const blockTiles = 32;
/** Channels whose parts are added up in one task. */
const sumChannels = 16;
/** Intended number of tasks, and the blocks that make up for a part's own sums. */
const wantedTasks = 16;
const fewestPartBlocks = 4;

/** Divides tiles into parts: depends on sizes only, never on the number of threads. */
function cutTiles(tiles: number, units: number): number {
  const blocks = Math.ceil(tiles / blockTiles);
  const parts = Math.max(1, Math.min(Math.ceil(wantedTasks / units), Math.floor(blocks / fewestPartBlocks)));
  return Math.ceil(blocks / parts) * blockTiles;
}
