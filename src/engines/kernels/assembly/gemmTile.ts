// The inner loop of all products: 4 rows times 8 columns, with the sums in 8 registers. With fused multiply-add it has
// 6 rows, because there are enough registers for them.
import {
  COLUMNS,
  DEPTH,
  DEPTH_STEP,
  HIGH,
  INITIAL,
  IS_LEAKY,
  LINE_BYTES,
  LOW,
  SLOPE,
  TAPS_X,
  TAPS_Y,
} from './gemmParameters';
import { multiplyAdd, real, word } from './parameters';

/** Rows of a tile. */
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/**
 * Computes consecutive tiles.
 *
 * @param table - For each tile, addresses: those of the results of its rows, then, for each tap, those of the inputs of
 * its rows.
 * @param panel - 8 columns of the right side: 8 values for each depth.
 * @param column - The first of the 8 columns.
 */
export function multiplyTiles(parameters: usize, table: usize, tiles: i32, panel: usize, column: i32): void {
  const taps = <usize>(word(parameters, TAPS_Y) * word(parameters, TAPS_X));
  const line = <usize>word(parameters, LINE_BYTES);
  const bytes = <usize>word(parameters, DEPTH) * line;
  const step = <usize>word(parameters, DEPTH_STEP);
  const entryBytes: usize = TILE_ROWS * 4;
  const tileBytes = (taps + 1) * entryBytes;
  const columns = word(parameters, COLUMNS) - column;
  const at = (<usize>column) << 2;
  const initial = <usize>word(parameters, INITIAL) + at;
  const end = table + <usize>tiles * tileBytes;
  for (let tile = table; tile < end; tile += tileBytes) {
    let c00 = v128.load(initial);
    let c01 = v128.load(initial, 16);
    let c10 = c00;
    let c11 = c01;
    let c20 = c00;
    let c21 = c01;
    let c30 = c00;
    let c31 = c01;
    let c40 = c00;
    let c41 = c01;
    let c50 = c00;
    let c51 = c01;
    let b = panel;
    const last = tile + taps * entryBytes;
    for (let tap = tile; tap < last;) {
      tap += entryBytes;
      let a0 = <usize>load<u32>(tap);
      let a1 = <usize>load<u32>(tap, 4);
      let a2 = <usize>load<u32>(tap, 8);
      let a3 = <usize>load<u32>(tap, 12);
      let a4: usize = 0;
      let a5: usize = 0;
      if (ASC_FEATURE_RELAXED_SIMD) {
        a4 = <usize>load<u32>(tap, 16);
        a5 = <usize>load<u32>(tap, 20);
      }
      const bottom = b + bytes;
      while (b < bottom) {
        const b0 = v128.load(b);
        const b1 = v128.load(b, 16);
        b += line;
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
        if (ASC_FEATURE_RELAXED_SIMD) {
          const v4 = v128.load_splat<f32>(a4);
          a4 += step;
          c40 = multiplyAdd(v4, b0, c40);
          c41 = multiplyAdd(v4, b1, c41);
          const v5 = v128.load_splat<f32>(a5);
          a5 += step;
          c50 = multiplyAdd(v5, b0, c50);
          c51 = multiplyAdd(v5, b1, c51);
        }
      }
    }
    if (word(parameters, IS_LEAKY)) {
      const slope = f32x4.splat(real(parameters, SLOPE));
      c00 = leak(c00, slope);
      c01 = leak(c01, slope);
      c10 = leak(c10, slope);
      c11 = leak(c11, slope);
      c20 = leak(c20, slope);
      c21 = leak(c21, slope);
      c30 = leak(c30, slope);
      c31 = leak(c31, slope);
      if (ASC_FEATURE_RELAXED_SIMD) {
        c40 = leak(c40, slope);
        c41 = leak(c41, slope);
        c50 = leak(c50, slope);
        c51 = leak(c51, slope);
      }
    }
    const low = f32x4.splat(real(parameters, LOW));
    const high = f32x4.splat(real(parameters, HIGH));
    storeColumns(<usize>load<u32>(tile) + at, clamp(c00, low, high), clamp(c01, low, high), columns);
    storeColumns(<usize>load<u32>(tile, 4) + at, clamp(c10, low, high), clamp(c11, low, high), columns);
    storeColumns(<usize>load<u32>(tile, 8) + at, clamp(c20, low, high), clamp(c21, low, high), columns);
    storeColumns(<usize>load<u32>(tile, 12) + at, clamp(c30, low, high), clamp(c31, low, high), columns);
    if (ASC_FEATURE_RELAXED_SIMD) {
      storeColumns(<usize>load<u32>(tile, 16) + at, clamp(c40, low, high), clamp(c41, low, high), columns);
      storeColumns(<usize>load<u32>(tile, 20) + at, clamp(c50, low, high), clamp(c51, low, high), columns);
    }
  }
}

/** Multiplies negative values by a factor. */
export function leak(x: v128, slope: v128): v128 {
  return v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, f32x4.splat(0)));
}

/** Clips values; NaN stays NaN. */
export function clamp(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high);
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

/** Stores the first 0 … 3 of 4 values. */
function storeSome(out: usize, values: v128, count: i32): void {
  if (count > 0) v128.store32_lane(out, values, 0);
  if (count > 1) v128.store32_lane(out, values, 1, 4);
  if (count > 2) v128.store32_lane(out, values, 2, 8);
}
