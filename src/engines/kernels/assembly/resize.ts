// Resizing of pictures: a separate module with its own memory, because all backends use it for their pictures. The
// arithmetic is that of ../../../data/preprocess/resize.ts, operation by operation, so that results are equal to the
// bit.
import { word } from './parameters';

/**
 * Writes resized and scaled rows. Every output row is a weighted sum of input rows, which is computed in `line`; every
 * output pixel is a weighted sum of pixels of `line`. Reads and writes up to 15 values beyond the ends of rows.
 *
 * Parameters, with the names of ../../../data/preprocess/simdResize.ts: 0 pixels, 1 values of a row of them, 2 whether
 * they are floats (else bytes), 3 first available row; 4 output, 5 its rows, 6 its columns; taps of the rows: 7 first,
 * 8 count, 9 weights, 10 weights for each; 11 to 14 the same of the columns; 15 line; 16 whether blue comes first; 17
 * channels, up to four; 18 means and 22 divisors, four each. With fewer channels, each pixel overwrites what the
 * previous one wrote beyond its end.
 */
export function resize(parameters: usize): void {
  const rows = word(parameters, 5);
  for (let row = 0; row < rows; row++) {
    mixRows(parameters, row);
    mixColumns(parameters, row);
  }
}

function mixRows(parameters: usize, row: i32): void {
  const rowLength = word(parameters, 1);
  const floats = word(parameters, 2);
  const at = (<usize>row) << 2;
  const first = load<i32>(<usize>word(parameters, 7) + at) - word(parameters, 3);
  const count = load<i32>(<usize>word(parameters, 8) + at);
  const weights = <usize>word(parameters, 9) + ((<usize>(row * word(parameters, 10))) << 2);
  const start = <usize>word(parameters, 0) + ((<usize>(first * rowLength)) << (floats ? 2 : 0));
  const line = <usize>word(parameters, 15);
  if (floats) mixFloats(start, rowLength, weights, count, line);
  else mixBytes(start, rowLength, weights, count, line);
}

function mixBytes(start: usize, rowLength: i32, weights: usize, count: i32, line: usize): void {
  for (let i = 0; i < rowLength; i += 16) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let from = start + i;
    for (let tap = 0; tap < count; tap++) {
      const weight = v128.load32_splat(weights + ((<usize>tap) << 2));
      const bytes = v128.load(from);
      const low = i16x8.extend_low_i8x16_u(bytes);
      const high = i16x8.extend_high_i8x16_u(bytes);
      a = f32x4.add(a, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low))));
      b = f32x4.add(b, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low))));
      c = f32x4.add(c, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high))));
      d = f32x4.add(d, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high))));
      from += rowLength;
    }
    const to = line + ((<usize>i) << 2);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
  }
}

function mixFloats(start: usize, rowLength: i32, weights: usize, count: i32, line: usize): void {
  for (let i = 0; i < rowLength; i += 4) {
    let sum = f32x4.splat(0);
    let from = start + ((<usize>i) << 2);
    for (let tap = 0; tap < count; tap++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights + ((<usize>tap) << 2)), v128.load(from)));
      from += (<usize>rowLength) << 2;
    }
    v128.store(line + ((<usize>i) << 2), sum);
  }
}

function mixColumns(parameters: usize, row: i32): void {
  const columns = word(parameters, 6);
  const firsts = <usize>word(parameters, 11);
  const counts = <usize>word(parameters, 12);
  const each = (<usize>word(parameters, 14)) << 2;
  const line = <usize>word(parameters, 15);
  const blueFirst = word(parameters, 16);
  const pixel = (<usize>word(parameters, 17)) << 2;
  const mean = v128.load(parameters + 18 * 4);
  const divisor = v128.load(parameters + 22 * 4);
  let weights = <usize>word(parameters, 13);
  let to = <usize>word(parameters, 4) + <usize>(row * columns) * pixel;
  for (let column = 0; column < columns; column++) {
    const at = (<usize>column) << 2;
    const count = load<i32>(counts + at);
    let from = line + <usize>load<i32>(firsts + at) * pixel;
    let sum = f32x4.splat(0);
    for (let tap = 0; tap < count; tap++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights + ((<usize>tap) << 2)), v128.load(from)));
      from += pixel;
    }
    if (blueFirst) sum = v128.shuffle<i32>(sum, sum, 2, 1, 0, 3);
    v128.store(to, f32x4.div(f32x4.sub(sum, mean), divisor));
    weights += each;
    to += pixel;
  }
}
