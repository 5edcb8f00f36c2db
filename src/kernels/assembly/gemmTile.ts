// The inner loop of all products: 4 rows times 8 columns, their sums in 8 registers.
import { COLUMNS, DEPTH, DEPTH_STEP, HIGH, IS_LEAKY, LOW, SLOPE, TAPS_X, TAPS_Y } from './gemmParameters';
import { multiplyAdd, real, word } from './parameters';

/** Rows of a tile. */
export const TILE_ROWS: i32 = 4;

/**
 * Computes one tile.
 *
 * @param table - Addresses: of the results of the 4 rows, then, tap by tap, of what the 4 rows read.
 * @param panel - 8 columns of the right side: the 8 values that sums start with, then 8 for each depth.
 * @param column - The first of the 8 columns.
 */
export function tile(parameters: usize, table: usize, panel: usize, column: i32): void {
  const bytes = (<usize>word(parameters, DEPTH)) << 5;
  const step = <usize>word(parameters, DEPTH_STEP);
  let c00 = v128.load(panel);
  let c01 = v128.load(panel, 16);
  let c10 = c00;
  let c11 = c01;
  let c20 = c00;
  let c21 = c01;
  let c30 = c00;
  let c31 = c01;
  let b = panel + 32;
  const last = table + ((<usize>(word(parameters, TAPS_Y) * word(parameters, TAPS_X))) << 4);
  for (let tap = table; tap < last;) {
    tap += 16;
    let a0 = <usize>load<u32>(tap);
    let a1 = <usize>load<u32>(tap, 4);
    let a2 = <usize>load<u32>(tap, 8);
    let a3 = <usize>load<u32>(tap, 12);
    const end = b + bytes;
    while (b < end) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      b += 32;
      const v0 = v128.load_splat<f32>(a0);
      a0 += step;
      c00 = multiplyAdd(v0, b0, c00);
      c01 = multiplyAdd(v0, b1, c01);
      const v1 = v128.load_splat<f32>(a1);
      a1 += step;
      c10 = multiplyAdd(v1, b0, c10);
      c11 = multiplyAdd(v1, b1, c11);
      const v2 = v128.load_splat<f32>(a2);
      a2 += step;
      c20 = multiplyAdd(v2, b0, c20);
      c21 = multiplyAdd(v2, b1, c21);
      const v3 = v128.load_splat<f32>(a3);
      a3 += step;
      c30 = multiplyAdd(v3, b0, c30);
      c31 = multiplyAdd(v3, b1, c31);
    }
  }
  finish(parameters, load<u32>(table), column, c00, c01);
  finish(parameters, load<u32>(table, 4), column, c10, c11);
  finish(parameters, load<u32>(table, 8), column, c20, c21);
  finish(parameters, load<u32>(table, 12), column, c30, c31);
}

/** Applies the activation to 8 sums and stores them. */
function finish(parameters: usize, row: usize, column: i32, left: v128, right: v128): void {
  const columns = word(parameters, COLUMNS) - column;
  storeColumns(row + ((<usize>column) << 2), activate(parameters, left), activate(parameters, right), columns);
}

/** Stores those of 8 values that are columns of the result. */
export function storeColumns(out: usize, first: v128, second: v128, columns: i32): void {
  if (columns >= 8) {
    v128.store(out, first);
    v128.store(out, second, 16);
  } else if (columns >= 4) {
    v128.store(out, first);
    storeSome(out + 16, second, columns - 4);
  } else storeSome(out, first, columns);
}

function activate(parameters: usize, sums: v128): v128 {
  const zero = f32x4.splat(0);
  let x = sums;
  if (word(parameters, IS_LEAKY)) {
    const below = f32x4.mul(x, f32x4.splat(real(parameters, SLOPE)));
    x = v128.bitselect(below, x, f32x4.lt(x, zero));
  }
  // These keep what is not a number.
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(real(parameters, LOW))), f32x4.splat(real(parameters, HIGH)));
}

/** Stores the first 0 … 3 of 4 values. */
function storeSome(out: usize, values: v128, count: i32): void {
  if (count > 0) v128.store32_lane(out, values, 0);
  if (count > 1) v128.store32_lane(out, values, 1, 4);
  if (count > 2) v128.store32_lane(out, values, 2, 8);
}
