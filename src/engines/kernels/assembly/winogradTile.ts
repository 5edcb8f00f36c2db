// Tiles of Winograd's convolution F(4×4, 3×3): their places, and the memory of a thread.
import { word } from './parameters';
import { OUTPUT_HEIGHT, OUTPUT_WIDTH, SCRATCH, SCRATCH_BYTES } from './winogradParameters';

/** Results of a tile along an axis, and the pixels that they read. */
export const TILE: i32 = 4;
export const PATCH: i32 = 6;
/** Number of values of a transformed tile, each in a matrix of its own. */
export const POINTS: i32 = PATCH * PATCH;

/** Channels, or columns of results, that are transformed together. */
export const CHUNK: i32 = 64;
export const CHUNK_BYTES: usize = 256;
/** A line of chunks: those of six pixels or products. */
export const LINE_BYTES: usize = 6 * CHUNK_BYTES;

/** Offsets in the memory of a thread: addresses of pixels; a chunk that is half transformed; values nobody reads. */
const HALF: usize = 256;
const UNREAD: usize = HALF + 6 * LINE_BYTES;
/** Where the matrices begin. */
const MATRICES: usize = UNREAD + CHUNK_BYTES;

/** Start of a thread's memory: a table of addresses. */
export function tableOf(parameters: usize, thread: i32): usize {
  return <usize>word(parameters, SCRATCH) + <usize>(thread * word(parameters, SCRATCH_BYTES));
}

/** Memory for a chunk between the two passes of a transform. */
export function halfOf(table: usize): usize {
  return table + HALF;
}

/** Memory for results outside the picture. */
export function unreadOf(table: usize): usize {
  return table + UNREAD;
}

/** The matrices of a block. */
export function matricesOf(table: usize): usize {
  return table + MATRICES;
}

/** Number of tiles in a line of a picture. */
export function tilesAcross(parameters: usize): i32 {
  return (word(parameters, OUTPUT_WIDTH) + TILE - 1) / TILE;
}

/** Number of tiles in a column of a picture. */
export function tilesDown(parameters: usize): i32 {
  return (word(parameters, OUTPUT_HEIGHT) + TILE - 1) / TILE;
}
