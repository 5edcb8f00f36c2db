// The logistic function.
import { multiplyAdd } from './parameters';

/** 1 / (1 + exp(-x)): exp of what is not positive cannot overflow; for positive x the rest to 1. */
export function sigmoidOf(x: v128): v128 {
  const power = exponentialOf(f32x4.neg(f32x4.abs(x)));
  const one = f32x4.splat(1);
  const sum = f32x4.add(one, power);
  return f32x4.div(v128.bitselect(power, one, f32x4.lt(x, f32x4.splat(0))), sum);
}

// exp(x) = 2^n · exp(r) with r = x - n · ln 2 between -0.35 and 0.35, and exp(r) = 1 + r + r² · P(r): the polynomial and
// the two parts of ln 2 are those of expf in Stephen L. Moshier's Cephes library. Off by less than 2 units in the last place.
const LOG2_E: f32 = 1.44269504088896341;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.1219444e-4;
const P0: f32 = 1.98756915e-4;
const P1: f32 = 1.3981999507e-3;
const P2: f32 = 8.3334519073e-3;
const P3: f32 = 4.1665795894e-2;
const P4: f32 = 1.6666665459e-1;
const P5: f32 = 5.0000001201e-1;

/** Below it the result is no normal number; 0 is near enough. */
const LEAST: f32 = -87.3365;

/** exp(x) for x from minus infinity to 0; NaN stays NaN. */
function exponentialOf(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2_E)));
  let r = multiplyAdd(n, f32x4.splat(-LN2_HIGH), x);
  r = multiplyAdd(n, f32x4.splat(-LN2_LOW), r);
  let p = multiplyAdd(f32x4.splat(P0), r, f32x4.splat(P1));
  p = multiplyAdd(p, r, f32x4.splat(P2));
  p = multiplyAdd(p, r, f32x4.splat(P3));
  p = multiplyAdd(p, r, f32x4.splat(P4));
  p = multiplyAdd(p, r, f32x4.splat(P5));
  p = f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(p, scale), f32x4.lt(x, f32x4.splat(LEAST)));
}
