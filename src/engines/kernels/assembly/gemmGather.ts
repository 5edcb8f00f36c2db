// Rows of products that are put together from several tensors, scaled and shifted on the way, instead of being written to
// memory first: concatenations and BatchNorm with relu.
import { DEPTH, GATHER, OUTPUT_PIXEL } from './gemmParameters';
import { fillRun } from './gemmTable';
import { multiplyAdd, real, word } from './parameters';

// Words at GATHER.
const PIECES = 0;
/** Addresses of one value for each channel. */
const SCALE = 1;
const SHIFT = 2;
/** Bounds of the results. */
const LOW = 3;
const HIGH = 4;
/** From here on two words for each piece: its address, and the bytes of its rows. */
const FIRST_PIECE = 5;

/** Writes rows to `values`, and the table of their tiles. */
export function gatherRows(
  parameters: usize,
  tileRows: i32,
  output: usize,
  first: i32,
  rows: i32,
  table: usize,
  values: usize,
): void {
  const gather = <usize>word(parameters, GATHER);
  const bytes = (<usize>word(parameters, DEPTH)) << 2;
  const pixel = word(parameters, OUTPUT_PIXEL);
  fillRun(parameters, tileRows, table, 0, 0, rows, output + <usize>first * <usize>pixel, pixel);
  fillRun(parameters, tileRows, table, 1, 0, rows, values, <i32>bytes);
  for (let row = first; row < first + rows; row++) {
    gatherRow(gather, row, values);
    values += bytes;
  }
}

function gatherRow(gather: usize, row: i32, to: usize): void {
  let scale = <usize>word(gather, SCALE);
  let shift = <usize>word(gather, SHIFT);
  const last = gather + ((FIRST_PIECE + 2 * <usize>word(gather, PIECES)) << 2);
  for (let piece = gather + (FIRST_PIECE << 2); piece < last; piece += 8) {
    const bytes = <usize>load<u32>(piece, 4);
    scaleAndShift(gather, <usize>load<u32>(piece) + <usize>row * bytes, to, bytes, scale, shift);
    to += bytes;
    scale += bytes;
    shift += bytes;
  }
}

function scaleAndShift(gather: usize, from: usize, to: usize, bytes: usize, scale: usize, shift: usize): void {
  const low = f32x4.splat(real(gather, LOW));
  const high = f32x4.splat(real(gather, HIGH));
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const value = multiplyAdd(v128.load(from + at), v128.load(scale + at), v128.load(shift + at));
    v128.store(to + at, f32x4.pmin(f32x4.pmax(value, low), high));
  }
  for (; at < bytes; at += 4) {
    const value = multiplyAdd(v128.load32_zero(from + at), v128.load32_zero(scale + at), v128.load32_zero(shift + at));
    v128.store_lane<f32>(to + at, f32x4.pmin(f32x4.pmax(value, low), high), 0);
  }
}
