// The logistic function.
import { multiplyAdd } from './parameters';

// Offsets in a table of constants (../exponential.ts), in bytes. V8 would build vectors of constants anew in each
// iteration of a loop, with several instructions.
const ONE = 0;
const SIGN = 4;
const LEAST = 8;
const LOG2_E = 12;
const ROUNDING = 16;
const MINUS_LN2_HIGH = 20;
const MINUS_LN2_LOW = 24;
const EXPONENT_BIAS = 28;
const P0 = 32;
const P1 = 36;
const P2 = 40;
const P3 = 44;
const P4 = 48;
const P5 = 52;

/**
 * Computes 1 / (1 + exp(-x)) of the values at `x`, and writes them from `out` to `end`. Of exp(x) and exp(-x) it
 * computes the one that is at most 1 and cannot overflow: exp(z) = 2^n exp(r), with r = z - n ln 2. ROUNDING is so
 * large that adding it rounds to an integer, which is then in the last bits. NaN stays NaN.
 */
export function sigmoidValues(x: usize, out: usize, end: usize, table: usize): void {
  const one = v128.load32_splat(table, ONE);
  const sign = v128.load32_splat(table, SIGN);
  const least = v128.load32_splat(table, LEAST);
  const log2 = v128.load32_splat(table, LOG2_E);
  const rounding = v128.load32_splat(table, ROUNDING);
  const lnHigh = v128.load32_splat(table, MINUS_LN2_HIGH);
  const lnLow = v128.load32_splat(table, MINUS_LN2_LOW);
  const bias = v128.load32_splat(table, EXPONENT_BIAS);
  const p0 = v128.load32_splat(table, P0);
  const p1 = v128.load32_splat(table, P1);
  const p2 = v128.load32_splat(table, P2);
  const p3 = v128.load32_splat(table, P3);
  const p4 = v128.load32_splat(table, P4);
  const p5 = v128.load32_splat(table, P5);
  for (; out < end; out += 16) {
    const value = loadUpTo(x, end - out);
    const z = v128.or(value, sign);
    const shifted = multiplyAdd(z, log2, rounding);
    const n = f32x4.sub(shifted, rounding);
    const r = multiplyAdd(n, lnLow, multiplyAdd(n, lnHigh, z));
    let p = multiplyAdd(p0, r, p1);
    p = multiplyAdd(p, r, p2);
    p = multiplyAdd(p, r, p3);
    p = multiplyAdd(p, r, p4);
    p = multiplyAdd(p, r, p5);
    p = f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), one);
    const scale = i32x4.add(i32x4.shl(shifted, 23), bias);
    const power = v128.andnot(f32x4.mul(p, scale), f32x4.lt(z, least));
    const above = v128.bitselect(power, one, f32x4.lt(value, f32x4.splat(0)));
    storeUpTo(out, f32x4.div(above, f32x4.add(one, power)), end - out);
    x += 16;
  }
}

function loadUpTo(at: usize, bytes: usize): v128 {
  if (bytes >= 16) return v128.load(at);
  let values = v128.load32_zero(at);
  if (bytes > 4) values = v128.load_lane<f32>(at + 4, values, 1);
  if (bytes > 8) values = v128.load_lane<f32>(at + 8, values, 2);
  return values;
}

function storeUpTo(at: usize, values: v128, bytes: usize): void {
  if (bytes >= 16) {
    v128.store(at, values);
    return;
  }
  v128.store_lane<f32>(at, values, 0);
  if (bytes > 4) v128.store_lane<f32>(at + 4, values, 1);
  if (bytes > 8) v128.store_lane<f32>(at + 8, values, 2);
}
