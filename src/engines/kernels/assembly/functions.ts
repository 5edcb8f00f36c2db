// Activations of four values at once, and their derivatives. Each is a type, so that a generic loop is compiled once for
// each, without a branch inside. Functions that a loop needs fast have a single caller, because only those are always
// compiled into it: their type parameters see to that.
import {
  FIFTH,
  HALF,
  LARGE,
  NORMAL_PEAK,
  SIX,
  SIXTH,
  TAIL,
  TAIL_SCALE,
  TANH_CUBIC,
  TANH_LINEAR,
  THREE,
} from './functionConstants';
import { multiplyAdd } from './parameters';

/** 1 / (1 + exp(-x)) */
export class Sigmoid {}
/** x sigmoid(x) */
export class Silu {}
/** clip(x / 5 + 1 / 2, 0, 1): that of Keras 2. */
export class HardSigmoid {}
/** clip(x + 3, 0, 6) / 6: that of Keras 3. */
export class HardSigmoidRelu6 {}
/** x clip(x + 3, 0, 6) / 6 */
export class HardSilu {}
/** x Φ(x), with the distribution function Φ of the normal distribution. */
export class Gelu {}
/** x sigmoid(2 √(2/π) (x + 0.044715 x³)), which is x (1 + tanh(…)) / 2. */
export class GeluTanh {}
/** Exp(-x) for x from 0, for a softmax. */
export class Power {}

/** Uses of a function: its value, or its derivative. */
export class Forward {}
export class Backward {}

/** The argument of the exponential that a function and its derivative need: the power is exp(-argument). */
export function argumentOf<F, Use>(x: v128, parameters: usize): v128 {
  if (idof<F>() == idof<Gelu>()) return f32x4.mul(f32x4.mul(x, v128.load32_splat(parameters, HALF)), x);
  if (idof<F>() == idof<GeluTanh>()) {
    const linear = v128.load32_splat(parameters, TANH_LINEAR);
    return f32x4.mul(multiplyAdd(v128.load32_splat(parameters, TANH_CUBIC), f32x4.mul(x, x), linear), x);
  }
  return x;
}

/** Whether a function needs no exponential. */
export function isHard<F>(): bool {
  return idof<F>() == idof<HardSigmoid>() || idof<F>() == idof<HardSigmoidRelu6>() || idof<F>() == idof<HardSilu>();
}

/** Applies a function. NaN stays NaN; of infinity it gives what the formula gives. */
export function valueOf<F>(x: v128, power: v128, one: v128, parameters: usize): v128 {
  if (idof<F>() == idof<Sigmoid>()) return f32x4.div(one, f32x4.add(one, power));
  if (idof<F>() == idof<HardSigmoid>()) {
    return clipped(hardInner<F>(x, parameters), one);
  }
  if (idof<F>() == idof<Gelu>()) return f32x4.mul(x, normal<F, Forward>(x, power, one, parameters));
  if (!isHard<F>()) return f32x4.div(x, f32x4.add(one, power));
  const sixth = v128.load32_splat(parameters, SIXTH);
  const clip = clipped(hardInner<F>(x, parameters), v128.load32_splat(parameters, SIX));
  if (idof<F>() == idof<HardSilu>()) return f32x4.mul(f32x4.mul(x, clip), sixth);
  return f32x4.mul(clip, sixth);
}

/** The derivative. At the ends of a clip it is that of the inside, as in tfjs. */
export function slopeOf<F>(x: v128, power: v128, one: v128, parameters: usize): v128 {
  if (idof<F>() == idof<Gelu>()) {
    const density = f32x4.mul(power, v128.load32_splat(parameters, NORMAL_PEAK));
    return multiplyAdd(x, density, normal<F, Backward>(x, power, one, parameters));
  }
  if (!isHard<F>()) {
    const sigmoid = f32x4.div(one, f32x4.add(one, power));
    // sigmoid (1 - sigmoid), exact on both sides; an infinite power would give NaN.
    const finite = f32x4.pmin(power, v128.load32_splat(parameters, LARGE));
    const slope = f32x4.mul(f32x4.mul(finite, sigmoid), sigmoid);
    if (idof<F>() == idof<Sigmoid>()) return slope;
    if (idof<F>() == idof<Silu>()) return multiplyAdd(x, slope, sigmoid);
    // 2 √(2/π) (1 + 3 · 0.044715 x²)
    const cubic = f32x4.mul(v128.load32_splat(parameters, TANH_CUBIC), v128.load32_splat(parameters, THREE));
    const inner = multiplyAdd(cubic, f32x4.mul(x, x), v128.load32_splat(parameters, TANH_LINEAR));
    return multiplyAdd(f32x4.mul(x, slope), inner, sigmoid);
  }
  const inner = hardInner<F>(x, parameters);
  if (idof<F>() == idof<HardSigmoid>()) return inside(inner, one, v128.load32_splat(parameters, FIFTH));
  const six = v128.load32_splat(parameters, SIX);
  const sixth = v128.load32_splat(parameters, SIXTH);
  const slope = inside(inner, six, sixth);
  if (idof<F>() == idof<HardSigmoidRelu6>()) return slope;
  return multiplyAdd(x, slope, f32x4.mul(clipped(inner, six), sixth));
}

/**
 * exp(-x) = 2^n exp(-s), with s = x + n ln 2. ROUNDING is so large that adding it rounds to an integer, which is then in
 * the last bits. The power is infinite for x below -128 ln 2 or so, and above MOST it stays as it is there: the smallest
 * normal number. The parameters are constants of ./constants.ts.
 */
export function exponential<F, Use>(
  x: v128,
  least: v128,
  most: v128,
  minusLog2: v128,
  rounding: v128,
  high: v128,
  low: v128,
  bias: v128,
  one: v128,
  c2: v128,
  c3: v128,
  c4: v128,
  c5: v128,
  c6: v128,
): v128 {
  const bounded = f32x4.pmin(idof<F>() == idof<Power>() ? x : f32x4.pmax(x, least), most);
  const shifted = multiplyAdd(bounded, minusLog2, rounding);
  const n = f32x4.sub(shifted, rounding);
  const s = multiplyAdd(n, low, multiplyAdd(n, high, bounded));
  let p = multiplyAdd(c6, s, c5);
  p = multiplyAdd(p, s, c4);
  p = multiplyAdd(p, s, c3);
  p = multiplyAdd(p, s, c2);
  p = f32x4.add(f32x4.sub(f32x4.mul(p, f32x4.mul(s, s)), s), one);
  const power = f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), bias));
  // Here the product with the tail would be denormal, and a softmax gives 0 to what is masked with -infinity.
  const isCut = idof<F>() == idof<Gelu>() || idof<F>() == idof<Power>();
  return isCut ? v128.andnot(power, f32x4.gt(x, most)) : power;
}

function hardInner<F>(x: v128, parameters: usize): v128 {
  if (idof<F>() != idof<HardSigmoid>()) return f32x4.add(x, v128.load32_splat(parameters, THREE));
  return f32x4.add(f32x4.mul(x, v128.load32_splat(parameters, FIFTH)), v128.load32_splat(parameters, HALF));
}

function clipped(x: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(0)), high);
}

/** The slope where a clip to 0 … `high` lets its input through, else 0. */
function inside(x: v128, high: v128, slope: v128): v128 {
  return v128.and(slope, v128.and(f32x4.ge(x, f32x4.splat(0)), f32x4.le(x, high)));
}

/**
 * Φ(x). Φ(-a) = exp(-a² / 2) t P(t) with t = 1 / (1 + TAIL_SCALE a), for a from 0: the relative error of the tail is
 * below 3e-7.
 *
 * @param power - Exp(-x² / 2).
 */
function normal<F, Use>(x: v128, power: v128, one: v128, parameters: usize): v128 {
  const t = f32x4.div(one, multiplyAdd(f32x4.abs(x), v128.load32_splat(parameters, TAIL_SCALE), one));
  let p = multiplyAdd(v128.load32_splat(parameters, TAIL), t, v128.load32_splat(parameters, TAIL + 4));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 8));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 12));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 16));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 20));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 24));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 28));
  p = multiplyAdd(p, t, v128.load32_splat(parameters, TAIL + 32));
  const tail = f32x4.mul(f32x4.mul(p, t), power);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}
