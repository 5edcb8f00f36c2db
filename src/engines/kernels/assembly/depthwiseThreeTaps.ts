// Four output pixels at once, for filters with three columns, the most common width. Inputs that two pixels share are
// loaded once.
import { BIAS, COLUMNS, HIGH, LOW, PIXEL, ROWS, phases, tapStep } from './depthwiseParameters';
import { rowStep } from './depthwisePixels';
import { multiplyAdd, real, word } from './parameters';

/** Strides. */
export class One {}
export class Two {}

/** Like fourPixels, for three adjacent taps. */
export function threeTaps<Stride>(parameters: usize, x: i32, filter: i32, out: i32, rows: i32): void {
  const bytes = word(parameters, PIXEL);
  const bias = word(parameters, BIAS);
  const low = f32x4.splat(real(parameters, LOW));
  const high = f32x4.splat(real(parameters, HIGH));
  const nextOut = phases(parameters, COLUMNS) * bytes;
  const xRow = rowStep(parameters);
  const filterColumn = tapStep(parameters, COLUMNS);
  const filterRow = tapStep(parameters, ROWS);
  for (let channel = 0; channel < bytes; channel += 16) {
    const at = min(channel, bytes - 16); // The last four channels may overlap the previous ones.
    let sum0 = bias == 0 ? f32x4.splat(0) : v128.load(<usize>(bias + at));
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    let input = x + at;
    let tap = filter + at;
    for (let row = 0; row < rows; row++) {
      const left = v128.load(<usize>tap);
      const middle = v128.load(<usize>(tap + filterColumn));
      const right = v128.load(<usize>(tap + 2 * filterColumn));
      let place = input;
      let a = v128.load(<usize>place);
      let b = v128.load(<usize>(place += bytes));
      let c = v128.load(<usize>(place += bytes));
      sum0 = addThree(a, b, c, left, middle, right, sum0);
      a = idof<Stride>() == idof<One>() ? b : c;
      b = idof<Stride>() == idof<One>() ? c : v128.load(<usize>(place += bytes));
      c = v128.load(<usize>(place += bytes));
      sum1 = addThree(a, b, c, left, middle, right, sum1);
      a = idof<Stride>() == idof<One>() ? b : c;
      b = idof<Stride>() == idof<One>() ? c : v128.load(<usize>(place += bytes));
      c = v128.load(<usize>(place += bytes));
      sum2 = addThree(a, b, c, left, middle, right, sum2);
      a = idof<Stride>() == idof<One>() ? b : c;
      b = idof<Stride>() == idof<One>() ? c : v128.load(<usize>(place += bytes));
      c = v128.load(<usize>(place += bytes));
      sum3 = addThree(a, b, c, left, middle, right, sum3);
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

function addThree(a: v128, b: v128, c: v128, left: v128, middle: v128, right: v128, sum: v128): v128 {
  return multiplyAdd(c, right, multiplyAdd(b, middle, multiplyAdd(a, left, sum)));
}
