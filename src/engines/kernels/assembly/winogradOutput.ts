// Winograd's transform of products to results, with bias and activation.
import { applyFunction } from './applyFunction';
import { clamp, leak } from './gemmTile';
import { real, word } from './parameters';
import { result0, result1, result2, result3 } from './winogradLines';
import {
  ADDRESS,
  BIAS,
  FUNCTION,
  HEIGHT,
  HIGH,
  IS_LEAKY,
  LOW,
  PIXEL,
  PRODUCT_MATRIX,
  ROW,
  SLOPE,
  WIDTH,
} from './winogradParameters';
import { CHUNK_BYTES, columnOf, halfOf, LINE_BYTES, outputsOf, pictureOf, rowOf, TILE, unreadOf } from './winogradTile';

/** Writes the results of some tiles, for a chunk of columns from `offset` on. */
export function transformProducts(
  parameters: usize,
  first: i32,
  tiles: i32,
  table: usize,
  products: usize,
  offset: usize,
  bytes: usize,
): void {
  const half = halfOf(table);
  const step = <usize>word(parameters, PRODUCT_MATRIX);
  for (let tile = 0; tile < tiles; tile++) {
    const from = products + <usize>tile * CHUNK_BYTES;
    for (let j: usize = 0; j < 6; j++) {
      productColumn(from + j * step, 6 * step, bytes, half + j * CHUNK_BYTES);
    }
    writeTile(parameters, first + tile, table, offset, bytes);
  }
}

/** Transforms a column of six products to four values, one in each row of `to`. */
function productColumn(from: usize, step: usize, bytes: usize, to: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    let at = from + i;
    const m0 = v128.load(at);
    const m1 = v128.load((at += step));
    const m2 = v128.load((at += step));
    const m3 = v128.load((at += step));
    const m4 = v128.load((at += step));
    const m5 = v128.load((at += step));
    const nearSum = f32x4.add(m1, m2);
    const nearDifference = f32x4.sub(m1, m2);
    const farSum = f32x4.add(m3, m4);
    const farDifference = f32x4.sub(m3, m4);
    v128.store(to + i, result0(m0, nearSum, farSum));
    v128.store(to + i, result1(nearDifference, farDifference), LINE_BYTES);
    v128.store(to + i, result2(nearSum, farSum), 2 * LINE_BYTES);
    v128.store(to + i, result3(nearDifference, farDifference, m5), 3 * LINE_BYTES);
  }
}

/** Transforms the rows of a tile and writes those of its results that are inside the picture. */
function writeTile(parameters: usize, tile: i32, table: usize, offset: usize, bytes: usize): void {
  const outputs = outputsOf(parameters);
  const x = columnOf(parameters, tile);
  const y = rowOf(parameters, tile);
  const width = word(outputs, WIDTH);
  const pixel = <usize>word(outputs, PIXEL);
  const line = <usize>word(outputs, ROW);
  const rows = min(TILE, word(outputs, HEIGHT) - y);
  const unread = unreadOf(table);
  let to = <usize>word(outputs, ADDRESS) + pictureOf(parameters, tile, outputs) + offset;
  to += <usize>y * line + <usize>x * pixel;
  const bias = <usize>word(parameters, BIAS) + offset;
  for (let i = 0; i < rows; i++) {
    productRow(
      parameters,
      halfOf(table) + <usize>i * LINE_BYTES,
      bias,
      bytes,
      to,
      x + 1 < width ? to + pixel : unread,
      x + 2 < width ? to + 2 * pixel : unread,
      x + 3 < width ? to + 3 * pixel : unread,
    );
    to += line;
  }
}

/** Transforms a row of six values to four results. */
function productRow(
  parameters: usize,
  from: usize,
  bias: usize,
  bytes: usize,
  t0: usize,
  t1: usize,
  t2: usize,
  t3: usize,
): void {
  const isLeaky = word(parameters, IS_LEAKY);
  const slope = f32x4.splat(real(parameters, SLOPE));
  const low = f32x4.splat(real(parameters, LOW));
  const high = f32x4.splat(real(parameters, HIGH));
  for (let i: usize = 0; i < bytes; i += 16) {
    const at = from + i;
    const m1 = v128.load(at, CHUNK_BYTES);
    const m2 = v128.load(at, 2 * CHUNK_BYTES);
    const m3 = v128.load(at, 3 * CHUNK_BYTES);
    const m4 = v128.load(at, 4 * CHUNK_BYTES);
    const nearSum = f32x4.add(m1, m2);
    const nearDifference = f32x4.sub(m1, m2);
    const farSum = f32x4.add(m3, m4);
    const farDifference = f32x4.sub(m3, m4);
    const start = v128.load(bias + i);
    let y0 = f32x4.add(result0(v128.load(at), nearSum, farSum), start);
    let y1 = f32x4.add(result1(nearDifference, farDifference), start);
    let y2 = f32x4.add(result2(nearSum, farSum), start);
    let y3 = f32x4.add(result3(nearDifference, farDifference, v128.load(at, 5 * CHUNK_BYTES)), start);
    if (isLeaky) {
      y0 = leak(y0, slope);
      y1 = leak(y1, slope);
      y2 = leak(y2, slope);
      y3 = leak(y3, slope);
    }
    v128.store(t0 + i, clamp(y0, low, high));
    v128.store(t1 + i, clamp(y1, low, high));
    v128.store(t2 + i, clamp(y2, low, high));
    v128.store(t3 + i, clamp(y3, low, high));
  }
  const number = word(parameters, FUNCTION);
  if (number == 0) return;
  // After the last column of the picture these rows are unread, or the same.
  applyFunction(parameters, number, t0, t0, bytes);
  if (t1 != t0) applyFunction(parameters, number, t1, t1, bytes);
  if (t2 != t1) applyFunction(parameters, number, t2, t2, bytes);
  if (t3 != t2) applyFunction(parameters, number, t3, t3, bytes);
}
