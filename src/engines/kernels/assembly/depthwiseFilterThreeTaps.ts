// Sums for three adjacent taps of a depthwise filter, which read mostly the same values.
import { COLUMNS, PIXEL, ROWS, SLOTS, firstAtOrAfter, inputs, outputs, stride } from './depthwiseParameters';
import { One } from './depthwiseThreeTaps';
import { multiplyAdd, word } from './parameters';

/** Adds three taps; the first one reads column `first` for the first output. Needs at least four channels. */
export function addThreeTaps<Stride>(parameters: usize, sums: i32, x: i32, dy: i32, rows: i32, first: i32): void {
  const pixel = word(parameters, PIXEL);
  const slots = word(parameters, SLOTS);
  const columns = outputs(parameters, COLUMNS);
  const size = inputs(parameters, COLUMNS);
  const xRowStep = stride(parameters, ROWS) * size * pixel;
  const step = idof<Stride>() == idof<One>() ? 1 : 2;
  const left = firstAtOrAfter(0, first, step);
  const right = min(columns, firstAtOrAfter(size - 2, first, step)) - 3;
  for (let channel = 0; channel < pixel; channel += 16) {
    const at = min(channel, pixel - 16); // The last four channels may overlap the previous ones.
    let sum0 = v128.load(<usize>sums);
    let sum1 = v128.load(<usize>(sums + slots));
    let sum2 = v128.load(<usize>(sums + 2 * slots));
    let slope = dy + at;
    for (let row = 0; row < rows; row++) {
      let value = x + at + first * pixel + row * xRowStep;
      for (let column = 0; column < columns;) {
        if (column >= left && column < right) {
          let place = value;
          let a = v128.load(<usize>place);
          let b = v128.load(<usize>(place += pixel));
          let c = v128.load(<usize>(place += pixel));
          let d = v128.load(<usize>slope);
          let four0 = f32x4.mul(a, d);
          let four1 = f32x4.mul(b, d);
          let four2 = f32x4.mul(c, d);
          a = idof<Stride>() == idof<One>() ? b : c;
          b = idof<Stride>() == idof<One>() ? c : v128.load(<usize>(place += pixel));
          c = v128.load(<usize>(place += pixel));
          d = v128.load(<usize>(slope += pixel));
          four0 = multiplyAdd(a, d, four0);
          four1 = multiplyAdd(b, d, four1);
          four2 = multiplyAdd(c, d, four2);
          a = idof<Stride>() == idof<One>() ? b : c;
          b = idof<Stride>() == idof<One>() ? c : v128.load(<usize>(place += pixel));
          c = v128.load(<usize>(place += pixel));
          d = v128.load(<usize>(slope += pixel));
          four0 = multiplyAdd(a, d, four0);
          four1 = multiplyAdd(b, d, four1);
          four2 = multiplyAdd(c, d, four2);
          a = idof<Stride>() == idof<One>() ? b : c;
          b = idof<Stride>() == idof<One>() ? c : v128.load(<usize>(place += pixel));
          c = v128.load(<usize>(place += pixel));
          d = v128.load(<usize>(slope += pixel));
          sum0 = f32x4.add(sum0, multiplyAdd(a, d, four0));
          sum1 = f32x4.add(sum1, multiplyAdd(b, d, four1));
          sum2 = f32x4.add(sum2, multiplyAdd(c, d, four2));
          slope += pixel;
          value += 4 * step * pixel;
          column += 4;
        } else {
          const place = column * step + first;
          const d = v128.load(<usize>slope);
          if (<u32>place < <u32>size) sum0 = multiplyAdd(v128.load(<usize>value), d, sum0);
          if (<u32>(place + 1) < <u32>size) sum1 = multiplyAdd(v128.load(<usize>(value + pixel)), d, sum1);
          if (<u32>(place + 2) < <u32>size) sum2 = multiplyAdd(v128.load(<usize>(value + 2 * pixel)), d, sum2);
          slope += pixel;
          value += step * pixel;
          column++;
        }
      }
    }
    v128.store(<usize>sums, sum0);
    v128.store(<usize>(sums + slots), sum1);
    v128.store(<usize>(sums + 2 * slots), sum2);
    sums += 16;
  }
}
