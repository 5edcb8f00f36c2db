// The gradient of a depthwise convolution with respect to its filter: for each tap, the sum over all positions of the
// output's gradient times the input that the tap reads there. Each task adds up some rows of the output; then these
// sums are added in order.
import { addThreeTaps } from './depthwiseFilterThreeTaps';
import { Four, Single, read, width, write } from './depthwiseLanes';
import {
  COLUMNS,
  DY,
  GROUPS,
  OUT,
  PICTURES,
  PIXEL,
  ROWS,
  ROWS_AT_ONCE,
  ROWS_PER_TASK,
  SLOTS,
  SUMS,
  X,
  dilation,
  fetch,
  firstAtOrAfter,
  inputs,
  outputs,
  start,
  stride,
  taps,
} from './depthwiseParameters';
import { One, Two } from './depthwiseThreeTaps';
import { multiplyAdd, word } from './parameters';

/** One task: the sums of some rows, counted over all pictures. */
export function depthwiseFilterSums(parameters: usize, task: i32): void {
  const rows = outputs(parameters, ROWS);
  const perTask = word(parameters, ROWS_PER_TASK);
  const end = min((task + 1) * perTask, word(parameters, PICTURES) * rows);
  const size = taps(parameters, ROWS, 0) * taps(parameters, COLUMNS, 0) * word(parameters, SLOTS);
  const sums = word(parameters, SUMS) + task * size;
  memory.fill(<usize>sums, 0, size);
  for (let row = task * perTask; row < end;) {
    const y = row % rows;
    const count = min(min(word(parameters, ROWS_AT_ONCE), end - row), rows - y);
    addRows(parameters, sums, row / rows, y, count);
    row += count;
  }
}

/** Adds rows that stay in the cache while one tap after the other reads them. */
function addRows(parameters: usize, sums: i32, picture: i32, y: i32, count: i32): void {
  const pixel = word(parameters, PIXEL);
  const xRow = inputs(parameters, COLUMNS) * pixel;
  const dyRow = outputs(parameters, COLUMNS) * pixel;
  const x = word(parameters, X) + picture * inputs(parameters, ROWS) * xRow;
  const dy = word(parameters, DY) + picture * outputs(parameters, ROWS) * dyRow;
  const step = stride(parameters, ROWS);
  const height = taps(parameters, ROWS, 0);
  const top = max(start(parameters, ROWS, 0) + y * step, 0);
  const reach = (count - 1) * step + (height - 1) * dilation(parameters, ROWS) + 1;
  const bottom = min(start(parameters, ROWS, 0) + y * step + reach, inputs(parameters, ROWS));
  fetch(x + top * xRow, (bottom - top) * xRow);
  fetch(dy + y * dyRow, count * dyRow);
  const slots = taps(parameters, COLUMNS, 0) * word(parameters, SLOTS);
  for (let tap = 0; tap < height; tap++) {
    const shift = start(parameters, ROWS, 0) + tap * dilation(parameters, ROWS);
    const from = max(y, firstAtOrAfter(0, shift, step));
    const to = min(y + count, firstAtOrAfter(inputs(parameters, ROWS), shift, step));
    if (from < to)
      addTaps(parameters, sums + tap * slots, x + (from * step + shift) * xRow, dy + from * dyRow, to - from);
  }
}

/** Adds the taps of one row of the filter. */
function addTaps(parameters: usize, sums: i32, x: i32, dy: i32, rows: i32): void {
  const count = taps(parameters, COLUMNS, 0);
  const step = stride(parameters, COLUMNS);
  const bySlots = word(parameters, SLOTS);
  const isVector = word(parameters, PIXEL) >= 16;
  const threes = isVector && dilation(parameters, COLUMNS) == 1 && step <= 2;
  let first = start(parameters, COLUMNS, 0);
  for (let tap = 0; tap < count;) {
    const together = threes && count - tap >= 3 ? 3 : 1;
    if (together == 1) {
      if (isVector) addTap<Four>(parameters, sums, x, dy, rows, first);
      else addTap<Single>(parameters, sums, x, dy, rows, first);
    } else if (step == 1) addThreeTaps<One>(parameters, sums, x, dy, rows, first);
    else addThreeTaps<Two>(parameters, sums, x, dy, rows, first);
    tap += together;
    sums += together * bySlots;
    first += together * dilation(parameters, COLUMNS);
  }
}

/** Adds a tap that reads column `first` for the first output. */
function addTap<Lanes>(parameters: usize, sums: i32, x: i32, dy: i32, rows: i32, first: i32): void {
  const pixel = word(parameters, PIXEL);
  const columns = outputs(parameters, COLUMNS);
  const step = stride(parameters, COLUMNS) * pixel;
  const xRowStep = stride(parameters, ROWS) * inputs(parameters, COLUMNS) * pixel;
  const from = firstAtOrAfter(0, first, stride(parameters, COLUMNS));
  const to = min(columns, firstAtOrAfter(inputs(parameters, COLUMNS), first, stride(parameters, COLUMNS)));
  if (from >= to) return;
  const xStart = x + first * pixel + from * step;
  const dyStart = dy + from * pixel;
  for (let channel = 0; channel < pixel; channel += width<Lanes>()) {
    const at = min(channel, pixel - width<Lanes>()); // The last four channels may overlap the previous ones.
    let sum = v128.load(<usize>sums);
    for (let row = 0; row < rows; row++) {
      let value = xStart + at + row * xRowStep;
      let slope = dyStart + at + row * columns * pixel;
      let column = from;
      for (; column + 4 <= to; column += 4) {
        let four = f32x4.mul(read<Lanes>(value), read<Lanes>(slope));
        four = multiplyAdd(read<Lanes>(value + step), read<Lanes>(slope + pixel), four);
        four = multiplyAdd(read<Lanes>(value + 2 * step), read<Lanes>(slope + 2 * pixel), four);
        four = multiplyAdd(read<Lanes>(value + 3 * step), read<Lanes>(slope + 3 * pixel), four);
        sum = f32x4.add(sum, four);
        value += 4 * step;
        slope += 4 * pixel;
      }
      for (; column < to; column++) {
        sum = multiplyAdd(read<Lanes>(value), read<Lanes>(slope), sum);
        value += step;
        slope += pixel;
      }
    }
    v128.store(<usize>sums, sum);
    sums += 16;
  }
}

/** One task: one tap of the filter. */
export function depthwiseFilterTotal(parameters: usize, task: i32): void {
  if (word(parameters, PIXEL) >= 16) addGroups<Four>(parameters, task);
  else addGroups<Single>(parameters, task);
}

function addGroups<Lanes>(parameters: usize, tap: i32): void {
  const pixel = word(parameters, PIXEL);
  const slots = word(parameters, SLOTS);
  const size = taps(parameters, ROWS, 0) * taps(parameters, COLUMNS, 0) * slots;
  const out = word(parameters, OUT) + tap * pixel;
  let sums = word(parameters, SUMS) + tap * slots;
  for (let channel = 0; channel < pixel; channel += width<Lanes>()) {
    let total = v128.load(<usize>sums);
    for (let group = 1; group < word(parameters, GROUPS); group++)
      total = f32x4.add(total, v128.load(<usize>(sums + group * size)));
    write<Lanes>(out + min(channel, pixel - width<Lanes>()), total);
    sums += 16;
  }
}
