// The gradient with respect to the input, for depthwise convolutions with three taps and stride 2.
import { COLUMNS, PIXEL, ROWS, firstTap, tapStep } from './depthwiseParameters';
import { rowStep } from './depthwisePixels';
import { multiplyAdd, word } from './parameters';

/**
 * Computes four adjacent pairs of output pixels, with all taps inside the picture. The first pixel of a pair reads
 * column `n` and the next one, the second pixel only the latter. A gradient has no bias and no bounds. Needs at least
 * four channels.
 *
 * @param phase - Phase of the first pixels.
 */
export function fourPairs(parameters: usize, x: i32, filter: i32, out: i32, rows: i32, phase: i32): void {
  const bytes = word(parameters, PIXEL);
  const xRow = rowStep(parameters);
  const filterRow = tapStep(parameters, ROWS);
  const toRight = tapStep(parameters, COLUMNS);
  const toMiddle = firstTap(parameters, COLUMNS, 1 - phase) - firstTap(parameters, COLUMNS, phase);
  for (let channel = 0; channel < bytes; channel += 16) {
    const at = min(channel, bytes - 16); // The last four channels may overlap the previous ones.
    let first0 = f32x4.splat(0);
    let first1 = first0;
    let first2 = first0;
    let first3 = first0;
    let second0 = first0;
    let second1 = first0;
    let second2 = first0;
    let second3 = first0;
    let input = x + at;
    let tap = filter + firstTap(parameters, COLUMNS, phase) + at;
    for (let row = 0; row < rows; row++) {
      const left = v128.load(<usize>tap);
      const right = v128.load(<usize>(tap + toRight));
      const middle = v128.load(<usize>(tap + toMiddle));
      let place = input;
      first0 = multiplyAdd(v128.load(<usize>place), left, first0);
      let value = v128.load(<usize>(place += bytes));
      first0 = multiplyAdd(value, right, first0);
      second0 = multiplyAdd(value, middle, second0);
      first1 = multiplyAdd(value, left, first1);
      value = v128.load(<usize>(place += bytes));
      first1 = multiplyAdd(value, right, first1);
      second1 = multiplyAdd(value, middle, second1);
      first2 = multiplyAdd(value, left, first2);
      value = v128.load(<usize>(place += bytes));
      first2 = multiplyAdd(value, right, first2);
      second2 = multiplyAdd(value, middle, second2);
      first3 = multiplyAdd(value, left, first3);
      value = v128.load(<usize>(place += bytes));
      first3 = multiplyAdd(value, right, first3);
      second3 = multiplyAdd(value, middle, second3);
      input += xRow;
      tap += filterRow;
    }
    let outAt = out + at;
    v128.store(<usize>outAt, first0);
    v128.store(<usize>(outAt += bytes), second0);
    v128.store(<usize>(outAt += bytes), first1);
    v128.store(<usize>(outAt += bytes), second1);
    v128.store(<usize>(outAt += bytes), first2);
    v128.store(<usize>(outAt += bytes), second2);
    v128.store(<usize>(outAt += bytes), first3);
    v128.store(<usize>(outAt += bytes), second3);
  }
}
