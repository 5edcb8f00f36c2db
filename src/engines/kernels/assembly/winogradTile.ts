// Tiles of Winograd's convolution F(4×4, 3×3): their places, and the memory of a thread.
import { word } from './parameters';
import { HEIGHT, OUTPUT, PICTURE, SCRATCH, SCRATCH_BYTES, WIDTH } from './winogradParameters';

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

/** The parameters of the pictures that a convolution writes. */
export function outputsOf(parameters: usize): usize {
  return parameters + (OUTPUT << 2);
}

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

/** Number of a tile's line, counted over all pictures. */
function lineOf(parameters: usize, tile: i32): i32 {
  return tile / tilesAcross(parameters);
}

/** First column of a tile. */
export function columnOf(parameters: usize, tile: i32): i32 {
  return (tile % tilesAcross(parameters)) * TILE;
}

/** First row of a tile in its picture. */
export function rowOf(parameters: usize, tile: i32): i32 {
  return (lineOf(parameters, tile) % tilesDown(parameters)) * TILE;
}

/** Offset of a tile's picture, among those with these parameters. */
export function pictureOf(parameters: usize, tile: i32, pictures: usize): usize {
  return <usize>((lineOf(parameters, tile) / tilesDown(parameters)) * word(pictures, PICTURE));
}

function tilesAcross(parameters: usize): i32 {
  return (word(parameters, OUTPUT + WIDTH) + TILE - 1) / TILE;
}

function tilesDown(parameters: usize): i32 {
  return (word(parameters, OUTPUT + HEIGHT) + TILE - 1) / TILE;
}
