// BatchNorm with stored statistics.
import { real, word } from './parameters';

const X = 0;
const OUT = 1;
const CHANNELS = 2;
const ROWS = 3;
const TASK_ROWS = 4;
/** Addresses of one value for each channel; SCALE and OFFSET are 0 if there are none. */
const MEAN = 5;
const FACTORS = 6;
const OFFSET = 7;
const VARIANCE = 8;
const SCALE = 9;
const EPSILON = 10;

/** One task: computes FACTORS, one for each channel. */
export function normalizationFactors(parameters: usize): void {
  const variance = <usize>word(parameters, VARIANCE);
  const scale = <usize>word(parameters, SCALE);
  const factors = <usize>word(parameters, FACTORS);
  const end = (<usize>word(parameters, CHANNELS)) << 2;
  for (let at: usize = 0; at < end; at += 4) {
    const factor: f32 = scale == 0 ? 1 : load<f32>(scale + at);
    store<f32>(factors + at, factor / sqrt<f32>(load<f32>(variance + at) + real(parameters, EPSILON)));
  }
}

/** One task: subtracts MEAN from TASK_ROWS of ROWS rows of pixels, multiplies them by FACTORS and adds OFFSET. */
export function normalizeRows(parameters: usize, task: i32): void {
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, ROWS));
  const offset = <usize>word(parameters, OFFSET);
  for (let row = first; row < last; row++) {
    const x = <usize>word(parameters, X) + <usize>row * bytes;
    const out = <usize>word(parameters, OUT) + <usize>row * bytes;
    normalizePixel(x, out, bytes, <usize>word(parameters, MEAN), <usize>word(parameters, FACTORS), offset);
  }
}

function normalizePixel(x: usize, out: usize, bytes: usize, mean: usize, factors: usize, offset: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const scaled = f32x4.mul(f32x4.sub(v128.load(x + at), v128.load(mean + at)), v128.load(factors + at));
    v128.store(out + at, offset == 0 ? scaled : f32x4.add(scaled, v128.load(offset + at)));
  }
  for (; at < bytes; at += 4) {
    const scaled = (load<f32>(x + at) - load<f32>(mean + at)) * load<f32>(factors + at);
    store<f32>(out + at, offset == 0 ? scaled : scaled + load<f32>(offset + at));
  }
}
