// LayerNormalization over the last axis, and its gradients.
import { Add, combined } from './operations';
import { loadSome, storeSome } from './lanes';
import { real, word } from './parameters';

const X = 0;
const OUT = 1;
const CHANNELS = 2;
const ROWS = 3;
const TASK_ROWS = 4;
/** Addresses of one value for each channel; 0 if there are none. */
const GAMMA = 5;
const BETA = 6;
const EPSILON = 7;

// Only for gradients. Each task has two rows of sums: those of GAMMA's gradient and those of BETA's.
const DY = 6;
const SUMS = 8;

/** One task: TASK_ROWS of ROWS rows, each minus its mean and divided by its deviation, times GAMMA plus BETA. */
export function normalizeLayer(parameters: usize, task: i32): void {
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, ROWS));
  const gamma = <usize>word(parameters, GAMMA);
  const beta = <usize>word(parameters, BETA);
  for (let row = first; row < last; row++) {
    const x = <usize>word(parameters, X) + <usize>row * bytes;
    const out = <usize>word(parameters, OUT) + <usize>row * bytes;
    const mean = sumOf<Plain>(x, 0, bytes) / <f32>word(parameters, CHANNELS);
    const inverse = inverseDeviation(parameters, x, mean, bytes);
    normalizeRow(x, out, bytes, f32x4.splat(mean), f32x4.splat(inverse), gamma, beta);
  }
}

function inverseDeviation(parameters: usize, x: usize, mean: f32, bytes: usize): f32 {
  const variance = sumOf<Squares>(x, mean, bytes) / <f32>word(parameters, CHANNELS);
  return 1 / sqrt<f32>(variance + real(parameters, EPSILON));
}

function normalizeRow(x: usize, out: usize, bytes: usize, mean: v128, inverse: v128, gamma: usize, beta: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    let y = f32x4.mul(f32x4.sub(v128.load(x + at), mean), inverse);
    if (gamma != 0) y = f32x4.mul(y, v128.load(gamma + at));
    v128.store(out + at, beta == 0 ? y : f32x4.add(y, v128.load(beta + at)));
  }
  if (at == bytes) return;
  const left = bytes - at;
  let y = f32x4.mul(f32x4.sub(loadSome(x + at, left), mean), inverse);
  if (gamma != 0) y = f32x4.mul(y, loadSome(gamma + at, left));
  storeSome(out + at, beta == 0 ? y : f32x4.add(y, loadSome(beta + at, left)), left);
}

class Plain {}
class Squares {}

/** The sum of a row's values, or of their squared distances from `mean`. */
function sumOf<Term>(x: usize, mean: f32, bytes: usize): f32 {
  const centre = f32x4.splat(mean);
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    a = f32x4.add(a, term<Term>(v128.load(x + at), centre));
    b = f32x4.add(b, term<Term>(v128.load(x + at, 16), centre));
    c = f32x4.add(c, term<Term>(v128.load(x + at, 32), centre));
    d = f32x4.add(d, term<Term>(v128.load(x + at, 48), centre));
  }
  for (; at + 16 <= bytes; at += 16) a = f32x4.add(a, term<Term>(v128.load(x + at), centre));
  let sum = totalOf(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; at < bytes; at += 4) {
    sum += f32x4.extract_lane(term<Term>(v128.load32_zero(x + at), centre), 0);
  }
  return sum;
}

function term<Term>(x: v128, centre: v128): v128 {
  if (idof<Term>() == idof<Plain>()) return x;
  const distance = f32x4.sub(x, centre);
  return f32x4.mul(distance, distance);
}

function totalOf(values: v128): f32 {
  const pairs = combined<Add>(
    values,
    i8x16.shuffle(values, values, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),
  );
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/**
 * One task: the gradient of TASK_ROWS rows. With the normalised values n and g = DY · GAMMA, it is (g - mean(g) - n
 * mean(g n)) / deviation. SUMS gets the sums of DY n and of DY over these rows.
 */
export function layerGradient(parameters: usize, task: i32): void {
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, ROWS));
  const gamma = <usize>word(parameters, GAMMA);
  const sums = <usize>word(parameters, SUMS) + <usize>task * 2 * bytes;
  memory.fill(sums, 0, 2 * bytes);
  for (let row = first; row < last; row++) {
    const x = <usize>word(parameters, X) + <usize>row * bytes;
    const dy = <usize>word(parameters, DY) + <usize>row * bytes;
    const out = <usize>word(parameters, OUT) + <usize>row * bytes;
    const mean = sumOf<Plain>(x, 0, bytes) / <f32>word(parameters, CHANNELS);
    const inverse = inverseDeviation(parameters, x, mean, bytes);
    gradientOfRow(x, dy, out, bytes, f32x4.splat(mean), f32x4.splat(inverse), gamma, sums);
  }
}

/** Writes g to `out` first, then the gradient in its place. */
function gradientOfRow(
  x: usize,
  dy: usize,
  out: usize,
  bytes: usize,
  mean: v128,
  inverse: v128,
  gamma: usize,
  sums: usize,
): void {
  let plain = f32x4.splat(0);
  let normal = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const left = bytes - at;
    const isWhole = left >= 16;
    const d = isWhole ? v128.load(dy + at) : loadSome(dy + at, left);
    // Beyond the end of the row it is not 0, but its factors are.
    const n = f32x4.mul(f32x4.sub(isWhole ? v128.load(x + at) : loadSome(x + at, left), mean), inverse);
    const dn = f32x4.mul(d, n);
    let g = d;
    if (gamma != 0) g = f32x4.mul(d, isWhole ? v128.load(gamma + at) : loadSome(gamma + at, left));
    plain = f32x4.add(plain, g);
    normal = f32x4.add(normal, f32x4.mul(g, n));
    const beta = sums + bytes + at;
    if (isWhole) {
      v128.store(out + at, g);
      v128.store(sums + at, f32x4.add(v128.load(sums + at), dn));
      v128.store(beta, f32x4.add(v128.load(beta), d));
    } else {
      storeSome(out + at, g, left);
      storeSome(sums + at, f32x4.add(loadSome(sums + at, left), dn), left);
      storeSome(beta, f32x4.add(loadSome(beta, left), d), left);
    }
  }
  const count = <f32>(bytes >> 2);
  const ofPlain = f32x4.splat(totalOf(plain) / count);
  const ofNormal = f32x4.splat(totalOf(normal) / count);
  for (let at: usize = 0; at < bytes; at += 16) {
    const left = bytes - at;
    const isWhole = left >= 16;
    const n = f32x4.mul(f32x4.sub(isWhole ? v128.load(x + at) : loadSome(x + at, left), mean), inverse);
    const g = isWhole ? v128.load(out + at) : loadSome(out + at, left);
    const result = f32x4.mul(f32x4.sub(f32x4.sub(g, ofPlain), f32x4.mul(n, ofNormal)), inverse);
    if (isWhole) v128.store(out + at, result);
    else storeSome(out + at, result, left);
  }
}
