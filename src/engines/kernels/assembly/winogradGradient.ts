// The gradient of Winograd's convolution with respect to its filters: for each of the 36 points, the transposed pixels of
// all tiles times the gradient of their results; the sums, transformed back, are the gradient of the filters.
import { word } from './parameters';
import { transformPixels } from './winogradInput';
import { gradientLine } from './winogradLines';
import {
  BLOCK_TILES,
  CHANNELS,
  PART_TILES,
  PARTS,
  PIXEL_MATRIX,
  PRODUCT_MATRIX,
  RESULT,
  RESULT_LINE,
  RESULTS,
  SUM_CHANNELS,
  SUMS,
  TILES,
} from './winogradParameters';
import { transformSlopes } from './winogradSlope';
import { addProducts } from './winogradSums';
import { CHUNK, CHUNK_BYTES, halfOf, matricesOf, POINTS, tableOf } from './winogradTile';

/** Sums of a chunk of channels times a chunk of columns: 36 matrices, an odd number of cache lines apart. */
const SUM_MATRIX: usize = 64 * CHUNK_BYTES + 64;
const SUM_BYTES: usize = 36 * SUM_MATRIX;

/** One task: a part of the tiles, for a chunk of channels and a chunk of columns. */
export function winogradGradient(parameters: usize, task: i32, thread: i32): void {
  const part = task / unitsOf(parameters);
  const unit = task % unitsOf(parameters);
  const channel = channelOf(parameters, unit);
  const lastChannel = min(word(parameters, CHANNELS), channel + CHUNK);
  const column = columnOf(parameters, unit);
  const columns = min(CHUNK, word(parameters, RESULTS) - column);
  const table = tableOf(parameters, thread);
  const pixels = matricesOf(table);
  const slopes = pixels + <usize>(POINTS * word(parameters, PIXEL_MATRIX));
  const sums = sumsOf(parameters, part, unit);
  memory.fill(sums, 0, SUM_BYTES);
  const start = part * word(parameters, PART_TILES);
  const end = min(word(parameters, TILES), start + word(parameters, PART_TILES));
  const block = word(parameters, BLOCK_TILES);
  for (let tile = start; tile < end; tile += block) {
    const tiles = min(block, end - tile);
    transformPixels(parameters, tile, tiles, channel, lastChannel, CHUNK_BYTES, table, pixels);
    transformSlopes(parameters, tile, tiles, <usize>(column << 2), <usize>(columns << 2), table, slopes);
    addBlock(parameters, tiles, lastChannel - channel, columns, pixels, slopes, sums);
  }
}

/** Adds the products of a block to all 36 matrices. */
function addBlock(
  parameters: usize,
  tiles: i32,
  channels: i32,
  columns: i32,
  pixels: usize,
  slopes: usize,
  sums: usize,
): void {
  for (let point = 0; point < POINTS; point++) {
    addProducts(pixels, slopes, tiles, channels, columns, sums);
    pixels += <usize>word(parameters, PIXEL_MATRIX);
    slopes += <usize>word(parameters, PRODUCT_MATRIX);
    sums += SUM_MATRIX;
  }
}

/** One task: adds up the parts of some channels of a unit, in order, and writes the gradient of their filters. */
export function winogradGradientSum(parameters: usize, task: i32, thread: i32): void {
  const taskChannels = word(parameters, SUM_CHANNELS);
  const inUnit = CHUNK / taskChannels;
  const unit = task / inUnit;
  const first = (task % inUnit) * taskChannels;
  const channel = channelOf(parameters, unit);
  const last = min(word(parameters, CHANNELS) - channel, first + taskChannels);
  const column = columnOf(parameters, unit);
  const columns = min(CHUNK, word(parameters, RESULTS) - column);
  const half = halfOf(tableOf(parameters, thread));
  const line = <usize>word(parameters, RESULT_LINE);
  for (let i = first; i < last; i++) {
    const from = sumsOf(parameters, 0, unit) + <usize>i * CHUNK_BYTES;
    const to = <usize>word(parameters, RESULT) + <usize>(channel + i) * line + <usize>(column << 2);
    for (let j: usize = 0; j < <usize>(columns << 2); j += 16) writeFilter(parameters, from + j, half, to + j);
  }
}

/** Writes the nine taps of four columns. */
function writeFilter(parameters: usize, from: usize, half: usize, to: usize): void {
  for (let x: usize = 0; x < 6; x++) {
    const at = from + x * SUM_MATRIX;
    gradientLine(
      totalOf(parameters, at),
      totalOf(parameters, at + 6 * SUM_MATRIX),
      totalOf(parameters, at + 12 * SUM_MATRIX),
      totalOf(parameters, at + 18 * SUM_MATRIX),
      totalOf(parameters, at + 24 * SUM_MATRIX),
      totalOf(parameters, at + 30 * SUM_MATRIX),
      half + (x << 4),
      96,
    );
  }
  const step = <usize>(word(parameters, CHANNELS) * word(parameters, RESULT_LINE));
  for (let y: usize = 0; y < 3; y++) {
    const at = half + y * 96;
    gradientLine(
      v128.load(at),
      v128.load(at, 16),
      v128.load(at, 32),
      v128.load(at, 48),
      v128.load(at, 64),
      v128.load(at, 80),
      to + y * 3 * step,
      step,
    );
  }
}

/** Adds up the parts of four sums. */
function totalOf(parameters: usize, at: usize): v128 {
  const parts = word(parameters, PARTS);
  const step = <usize>unitsOf(parameters) * SUM_BYTES;
  let total = v128.load(at);
  for (let part = 1; part < parts; part++) {
    at += step;
    total = f32x4.add(total, v128.load(at));
  }
  return total;
}

/** Number of pairs of a chunk of channels and a chunk of columns. */
function unitsOf(parameters: usize): i32 {
  return chunks(word(parameters, CHANNELS)) * chunks(word(parameters, RESULTS));
}

function chunks(count: i32): i32 {
  return (count + CHUNK - 1) / CHUNK;
}

/** First channel of a unit. */
function channelOf(parameters: usize, unit: i32): i32 {
  return (unit / chunks(word(parameters, RESULTS))) * CHUNK;
}

/** First column of a unit. */
function columnOf(parameters: usize, unit: i32): i32 {
  return (unit % chunks(word(parameters, RESULTS))) * CHUNK;
}

function sumsOf(parameters: usize, part: i32, unit: i32): usize {
  return <usize>word(parameters, SUMS) + <usize>(part * unitsOf(parameters) + unit) * SUM_BYTES;
}
