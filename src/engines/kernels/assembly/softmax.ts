// Softmax over the last axis, and its gradient.
import {
  EXPONENT_BIAS,
  EXPONENTIAL,
  LEAST,
  LN2_HIGH,
  LN2_LOW,
  MINUS_LOG2_E,
  MOST,
  ONE,
  ROUNDING,
} from './functionConstants';
import { Forward, Power, exponential } from './functions';
import { loadSome, storeSome } from './lanes';
import { word } from './parameters';

const X = 0;
const OUT = 1;
const CHANNELS = 2;
const ROWS = 3;
const TASK_ROWS = 4;
/** Only for gradients, where X is the softmax. */
const DY = 5;

/** Bytes that are summed in single precision. Longer rows are sums of these sums, in double precision. */
const BLOCK: usize = 4096;

/** One task: TASK_ROWS of ROWS rows. NaN, or infinity, makes the whole row NaN. */
export function softmax(parameters: usize, task: i32): void {
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, ROWS));
  for (let row = first; row < last; row++) {
    const x = <usize>word(parameters, X) + <usize>row * bytes;
    const out = <usize>word(parameters, OUT) + <usize>row * bytes;
    const largest = f32x4.splat(largestOf(x, bytes));
    let sum: f64 = 0;
    for (let at: usize = 0; at < bytes; at += BLOCK) {
      sum += powersOf(parameters, x + at, out + at, min(BLOCK, bytes - at), largest);
    }
    scale(out, bytes, f32x4.splat(<f32>(1 / sum)));
  }
}

/** A NaN may be passed over, because its power is NaN: `f32x4.max`, which keeps it, takes several instructions. */
function largestOf(x: usize, bytes: usize): f32 {
  let a = v128.load32_splat(x);
  let b = a;
  let c = a;
  let d = a;
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    a = f32x4.pmax(a, v128.load(x + at));
    b = f32x4.pmax(b, v128.load(x + at, 16));
    c = f32x4.pmax(c, v128.load(x + at, 32));
    d = f32x4.pmax(d, v128.load(x + at, 48));
  }
  for (; at + 16 <= bytes; at += 16) a = f32x4.pmax(a, v128.load(x + at));
  for (; at < bytes; at += 4) b = f32x4.pmax(b, v128.load32_splat(x + at));
  a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  a = f32x4.pmax(a, v128.shuffle<f64>(a, a, 1, 0));
  a = f32x4.pmax(a, v128.shuffle<f32>(a, a, 1, 0, 3, 2));
  return f32x4.extract_lane(a, 0);
}

/** Writes exp(x - largest), and returns the sum. */
function powersOf(parameters: usize, x: usize, out: usize, bytes: usize, largest: v128): f64 {
  const one = v128.load32_splat(parameters, ONE);
  const least = v128.load32_splat(parameters, LEAST);
  const most = v128.load32_splat(parameters, MOST);
  const log2 = v128.load32_splat(parameters, MINUS_LOG2_E);
  const rounding = v128.load32_splat(parameters, ROUNDING);
  const high = v128.load32_splat(parameters, LN2_HIGH);
  const low = v128.load32_splat(parameters, LN2_LOW);
  const bias = v128.load32_splat(parameters, EXPONENT_BIAS);
  const c6 = v128.load32_splat(parameters, EXPONENTIAL);
  const c5 = v128.load32_splat(parameters, EXPONENTIAL + 4);
  const c4 = v128.load32_splat(parameters, EXPONENTIAL + 8);
  const c3 = v128.load32_splat(parameters, EXPONENTIAL + 12);
  const c2 = v128.load32_splat(parameters, EXPONENTIAL + 16);
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const left = bytes - at;
    const below = f32x4.sub(largest, left >= 16 ? v128.load(x + at) : loadSome(x + at, left));
    // prettier-ignore
    const power = exponential<Power, Forward>(below, least, most, log2, rounding, high, low, bias, one, c2, c3, c4, c5, c6);
    if (left >= 16) {
      v128.store(out + at, power);
      sum = f32x4.add(sum, power);
    } else {
      storeSome(out + at, power, left);
      sum = f32x4.add(sum, loadSome(out + at, left)); // Without what is beyond the end of the row.
    }
  }
  return totalOf(sum);
}

function totalOf(values: v128): f64 {
  const pairs = f64x2.add(
    f64x2.promote_low_f32x4(values),
    f64x2.promote_low_f32x4(v128.shuffle<f64>(values, values, 1, 0)),
  );
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

function scale(out: usize, bytes: usize, factor: v128): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, f32x4.mul(v128.load(out + at), factor));
  if (at < bytes) storeSome(out + at, f32x4.mul(loadSome(out + at, bytes - at), factor), bytes - at);
}

/** One task: y (DY - sum(DY y)) for TASK_ROWS rows, where y is the softmax. */
export function softmaxGradient(parameters: usize, task: i32): void {
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, ROWS));
  for (let row = first; row < last; row++) {
    const start = <usize>row * bytes;
    const y = <usize>word(parameters, X) + start;
    const dy = <usize>word(parameters, DY) + start;
    let sum: f64 = 0;
    for (let at: usize = 0; at < bytes; at += BLOCK) sum += sumOfProducts(y + at, dy + at, min(BLOCK, bytes - at));
    gradientOfRow(y, dy, <usize>word(parameters, OUT) + start, bytes, f32x4.splat(<f32>sum));
  }
}

function sumOfProducts(y: usize, dy: usize, bytes: usize): f64 {
  let a = f32x4.splat(0);
  let b = a;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    a = f32x4.add(a, f32x4.mul(v128.load(y + at), v128.load(dy + at)));
    b = f32x4.add(b, f32x4.mul(v128.load(y + at, 16), v128.load(dy + at, 16)));
  }
  for (; at + 16 <= bytes; at += 16) a = f32x4.add(a, f32x4.mul(v128.load(y + at), v128.load(dy + at)));
  const left = bytes - at;
  if (left > 0) b = f32x4.add(b, f32x4.mul(loadSome(y + at, left), loadSome(dy + at, left)));
  return totalOf(f32x4.add(a, b));
}

function gradientOfRow(y: usize, dy: usize, out: usize, bytes: usize, sum: v128): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    v128.store(out + at, f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), sum)));
  }
  const left = bytes - at;
  if (left > 0) storeSome(out + at, f32x4.mul(loadSome(y + at, left), f32x4.sub(loadSome(dy + at, left), sum)), left);
}
