// Sums of products over the taps of a depthwise filter, for one output pixel or for four at once.
import {
  BIAS,
  COLUMNS,
  HIGH,
  LOW,
  PIXEL,
  ROWS,
  dilation,
  inputs,
  phases,
  stride,
  tapStep,
} from './depthwiseParameters';
import { read, width, write } from './depthwiseLanes';
import { multiplyAdd, real, word } from './parameters';

/** Bytes between the inputs of two adjacent taps in a row. */
function columnStep(parameters: usize): i32 {
  return dilation(parameters, COLUMNS) * word(parameters, PIXEL);
}

/** Bytes between the inputs of two adjacent taps in a column. */
export function rowStep(parameters: usize): i32 {
  return dilation(parameters, ROWS) * inputs(parameters, COLUMNS) * word(parameters, PIXEL);
}

/**
 * Computes one pixel.
 *
 * @param x - Address of the input of the first tap inside the picture; `filter` is the address of that tap.
 */
export function onePixel<Lanes>(parameters: usize, x: i32, filter: i32, out: i32, rows: i32, taps: i32): void {
  const bytes = word(parameters, PIXEL);
  const bias = word(parameters, BIAS);
  const low = f32x4.splat(real(parameters, LOW));
  const high = f32x4.splat(real(parameters, HIGH));
  const xColumn = columnStep(parameters);
  const xRow = rowStep(parameters) - taps * xColumn;
  const filterColumn = tapStep(parameters, COLUMNS);
  const filterRow = tapStep(parameters, ROWS) - taps * filterColumn;
  for (let channel = 0; channel < bytes; channel += width<Lanes>()) {
    const at = min(channel, bytes - width<Lanes>()); // The last four channels may overlap the previous ones.
    let sum = bias == 0 ? f32x4.splat(0) : read<Lanes>(bias + at);
    let input = x + at;
    let tap = filter + at;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < taps; column++) {
        sum = multiplyAdd(read<Lanes>(input), read<Lanes>(tap), sum);
        input += xColumn;
        tap += filterColumn;
      }
      input += xRow;
      tap += filterRow;
    }
    write<Lanes>(out + at, f32x4.pmin(f32x4.pmax(sum, low), high));
  }
}

/**
 * Computes four adjacent pixels of a phase, with all taps inside the columns of the picture. Needs at least four
 * channels.
 */
export function fourPixels(parameters: usize, x: i32, filter: i32, out: i32, rows: i32, taps: i32): void {
  const bytes = word(parameters, PIXEL);
  const bias = word(parameters, BIAS);
  const low = f32x4.splat(real(parameters, LOW));
  const high = f32x4.splat(real(parameters, HIGH));
  const next = stride(parameters, COLUMNS) * bytes;
  const nextOut = phases(parameters, COLUMNS) * bytes;
  const xColumn = columnStep(parameters);
  const xRow = rowStep(parameters) - taps * xColumn;
  const filterColumn = tapStep(parameters, COLUMNS);
  const filterRow = tapStep(parameters, ROWS) - taps * filterColumn;
  for (let channel = 0; channel < bytes; channel += 16) {
    const at = min(channel, bytes - 16); // The last four channels may overlap the previous ones.
    let sum0 = bias == 0 ? f32x4.splat(0) : v128.load(<usize>(bias + at));
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    let input = x + at;
    let tap = filter + at;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < taps; column++) {
        const factor = v128.load(<usize>tap);
        sum0 = multiplyAdd(v128.load(<usize>input), factor, sum0);
        sum1 = multiplyAdd(v128.load(<usize>(input + next)), factor, sum1);
        sum2 = multiplyAdd(v128.load(<usize>(input + 2 * next)), factor, sum2);
        sum3 = multiplyAdd(v128.load(<usize>(input + 3 * next)), factor, sum3);
        input += xColumn;
        tap += filterColumn;
      }
      input += xRow;
      tap += filterRow;
    }
    const outAt = out + at;
    v128.store(<usize>outAt, f32x4.pmin(f32x4.pmax(sum0, low), high));
    v128.store(<usize>(outAt + nextOut), f32x4.pmin(f32x4.pmax(sum1, low), high));
    v128.store(<usize>(outAt + 2 * nextOut), f32x4.pmin(f32x4.pmax(sum2, low), high));
    v128.store(<usize>(outAt + 3 * nextOut), f32x4.pmin(f32x4.pmax(sum3, low), high));
  }
}
