// Pooling: reduces windows of pictures to one pixel each. Also the gradient of average pooling.
import { real, word } from './parameters';

class Largest {}
class Average {}

/** Addresses of the pixels that are read and written, and the number of channels. */
export const X = 0;
export const OUT = 1;
export const CHANNELS = 2;
/** Size of a picture that is read. */
export const HEIGHT = 3;
export const WIDTH = 4;
export const OUT_HEIGHT = 5;
export const OUT_WIDTH = 6;
/** Number of rows of pixels to write, in all pictures and in one task. */
export const OUT_ROWS = 7;
export const TASK_ROWS = 8;
/** First word of each axis: see `windowBound`. */
export const ROW_AXIS = 9;
export const COLUMN_AXIS = 13;
const IS_AVERAGE = 17;
const DIVISOR = 18;

const SCALE = 0;
export const START = 1;
export const END = 2;
const DIVIDE = 3;

/** Where the window of pixel `position` begins (START) or ends (END): (SCALE · position + bound) / DIVIDE. */
export function windowBound(parameters: usize, axis: i32, bound: i32, position: i32): i32 {
  const numerator = position * word(parameters, axis + SCALE) + word(parameters, axis + bound);
  const divide = word(parameters, axis + DIVIDE);
  return divide == 1 ? numerator : numerator / divide;
}

/**
 * One task: TASK_ROWS rows of pixels. Each is the maximum of its window, or the sum divided by DIVISOR; if DIVISOR is
 * 0, by the size of the window.
 */
export function poolRows(parameters: usize, task: i32): void {
  const last = min((task + 1) * word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  for (let row = task * word(parameters, TASK_ROWS); row < last; row++) {
    if (word(parameters, IS_AVERAGE) != 0) poolRow<Average>(parameters, row);
    else poolRow<Largest>(parameters, row);
  }
}

function poolRow<Operation>(parameters: usize, outRow: i32): void {
  const channels = word(parameters, CHANNELS);
  const width = word(parameters, WIDTH);
  const picture = outRow / word(parameters, OUT_HEIGHT);
  const y = outRow - picture * word(parameters, OUT_HEIGHT);
  const top = max(0, windowBound(parameters, ROW_AXIS, START, y));
  const rows = min(word(parameters, HEIGHT), windowBound(parameters, ROW_AXIS, END, y)) - top;
  const x =
    <usize>word(parameters, X) + ((<usize>((picture * word(parameters, HEIGHT) + top) * width * channels)) << 2);
  const outWidth = word(parameters, OUT_WIDTH);
  let out = <usize>word(parameters, OUT) + ((<usize>(outRow * outWidth * channels)) << 2);
  for (let column = 0; column < outWidth; column++) {
    const left = max(0, windowBound(parameters, COLUMN_AXIS, START, column));
    const columns = min(width, windowBound(parameters, COLUMN_AXIS, END, column)) - left;
    const size = max(rows, 0) * max(columns, 0);
    const divisor = real(parameters, DIVISOR) == 0 ? <f32>size : real(parameters, DIVISOR);
    poolPixel<Operation>(
      x + ((<usize>(left * channels)) << 2),
      width * channels,
      channels,
      rows,
      columns,
      out,
      divisor,
    );
    out += (<usize>channels) << 2;
  }
}

function poolPixel<Operation>(
  x: usize,
  rowValues: i32,
  channels: i32,
  rows: i32,
  columns: i32,
  out: usize,
  divisor: f32,
): void {
  const rowBytes = (<usize>rowValues) << 2;
  const pixelBytes = (<usize>channels) << 2;
  const divisors = f32x4.splat(divisor);
  const end = out + pixelBytes;
  for (; out + 64 <= end; out += 64) {
    poolSixteen<Operation>(x, rowBytes, pixelBytes, rows, columns, out, divisors);
    x += 64;
  }
  for (; out + 16 <= end; out += 16) {
    let a = first<Operation>();
    for (let row = 0; row < rows; row++) {
      const from = x + <usize>row * rowBytes;
      for (let column = 0; column < columns; column++) {
        a = joined<Operation>(a, v128.load(from + <usize>column * pixelBytes));
      }
    }
    v128.store(out, finished<Operation>(a, divisors));
    x += 16;
  }
  for (; out < end; out += 4) {
    let a = first<Operation>();
    for (let row = 0; row < rows; row++) {
      const from = x + <usize>row * rowBytes;
      for (let column = 0; column < columns; column++) {
        a = joined<Operation>(a, v128.load32_zero(from + <usize>column * pixelBytes));
      }
    }
    v128.store_lane<f32>(out, finished<Operation>(a, divisors), 0);
    x += 4;
  }
}

function poolSixteen<Operation>(
  x: usize,
  rowBytes: usize,
  pixelBytes: usize,
  rows: i32,
  columns: i32,
  out: usize,
  divisors: v128,
): void {
  let a = first<Operation>();
  let b = a;
  let c = a;
  let d = a;
  for (let row = 0; row < rows; row++) {
    let at = x + <usize>row * rowBytes;
    for (let column = 0; column < columns; column++) {
      a = joined<Operation>(a, v128.load(at));
      b = joined<Operation>(b, v128.load(at, 16));
      c = joined<Operation>(c, v128.load(at, 32));
      d = joined<Operation>(d, v128.load(at, 48));
      at += pixelBytes;
    }
  }
  v128.store(out, finished<Operation>(a, divisors));
  v128.store(out, finished<Operation>(b, divisors), 16);
  v128.store(out, finished<Operation>(c, divisors), 32);
  v128.store(out, finished<Operation>(d, divisors), 48);
}

function first<Operation>(): v128 {
  return f32x4.splat(idof<Operation>() == idof<Largest>() ? -Infinity : 0);
}

/** NaN is never the largest value, as on tfjs's cpu backend. */
function joined<Operation>(a: v128, x: v128): v128 {
  return idof<Operation>() == idof<Largest>() ? f32x4.pmax(a, x) : f32x4.add(a, x);
}

function finished<Operation>(a: v128, divisors: v128): v128 {
  return idof<Operation>() == idof<Largest>() ? a : f32x4.div(a, divisors);
}
