// Depthwise convolutions: each channel is a picture of its own, and all of them move side by side. An output pixel skips
// the taps that fall outside the picture. Outputs are in phases when they are the gradient of a strided convolution's
// input: those a stride apart meet the same taps.
import {
  COLUMNS,
  FILTER,
  OUT,
  PICTURES,
  PIXEL,
  ROWS,
  ROWS_PER_TASK,
  X,
  dilation,
  firstTap,
  inputs,
  outputs,
  phases,
  start,
  stride,
  tapStep,
  taps,
} from './depthwiseParameters';
import { fourPixels, onePixel } from './depthwisePixels';
import { word } from './parameters';

/** One task: some rows of the output, those of all pictures counted through. */
export function depthwise(parameters: usize, task: i32): void {
  const rows = outputs(parameters, ROWS);
  const perTask = word(parameters, ROWS_PER_TASK);
  const end = min((task + 1) * perTask, word(parameters, PICTURES) * rows);
  for (let row = task * perTask; row < end; row++) outputRow(parameters, row / rows, row % rows);
}

function outputRow(parameters: usize, picture: i32, row: i32): void {
  const all = phases(parameters, ROWS);
  const phase = row % all;
  const first = start(parameters, ROWS, phase) + (row / all) * stride(parameters, ROWS);
  const from = firstInside(first, dilation(parameters, ROWS));
  const to = endInside(parameters, ROWS, first, taps(parameters, ROWS, phase));
  const inputRow = picture * inputs(parameters, ROWS) + first + from * dilation(parameters, ROWS);
  const pixel = word(parameters, PIXEL);
  const x = word(parameters, X) + inputRow * inputs(parameters, COLUMNS) * pixel;
  const filter = word(parameters, FILTER) + firstTap(parameters, ROWS, phase) + from * tapStep(parameters, ROWS);
  const outputIndex = picture * outputs(parameters, ROWS) + row;
  const out = word(parameters, OUT) + outputIndex * outputs(parameters, COLUMNS) * pixel;
  const columnPhases = phases(parameters, COLUMNS);
  for (let column = 0; column < columnPhases; column++)
    outputColumns(parameters, column, x, filter, out + column * pixel, max(to - from, 0));
}

/** The pixels of one phase in a row: one by one at the edges, where taps are outside, and by fours between. */
function outputColumns(parameters: usize, phase: i32, x: i32, filter: i32, out: i32, rows: i32): void {
  const all = phases(parameters, COLUMNS);
  const count = (outputs(parameters, COLUMNS) - phase + all - 1) / all;
  const width = taps(parameters, COLUMNS, phase);
  const first = start(parameters, COLUMNS, phase);
  const step = stride(parameters, COLUMNS);
  const reach = max(width - 1, 0) * dilation(parameters, COLUMNS);
  const left = min(first < 0 ? (step - 1 - first) / step : 0, count);
  const room = inputs(parameters, COLUMNS) - reach - first;
  const right = max(min(room > 0 ? (room + step - 1) / step : 0, count), left);
  const pixel = word(parameters, PIXEL);
  const filterAt = filter + firstTap(parameters, COLUMNS, phase);
  for (let column = 0; column < left; column++)
    edgePixel(parameters, x, filterAt, out + column * all * pixel, rows, width, first + column * step);
  let column = left;
  if (right - left >= 4 && pixel >= 16) {
    // The last four may overlap those before: they come out the same.
    for (; column < right; column += 4) {
      const at = min(column, right - 4);
      fourPixels(parameters, x + (first + at * step) * pixel, filterAt, out + at * all * pixel, rows, width);
    }
    column = right;
  }
  for (; column < count; column++)
    edgePixel(parameters, x, filterAt, out + column * all * pixel, rows, width, first + column * step);
}

/** A pixel whose first tap is at an input column that may be outside. */
function edgePixel(parameters: usize, x: i32, filter: i32, out: i32, rows: i32, width: i32, first: i32): void {
  const from = firstInside(first, dilation(parameters, COLUMNS));
  const to = endInside(parameters, COLUMNS, first, width);
  const column = first + from * dilation(parameters, COLUMNS);
  const xAt = x + column * word(parameters, PIXEL);
  onePixel(parameters, xAt, filter + from * tapStep(parameters, COLUMNS), out, rows, max(to - from, 0));
}

/** The first tap inside the picture, when tap 0 is at `first`. */
function firstInside(first: i32, dilation: i32): i32 {
  return first < 0 ? (dilation - 1 - first) / dilation : 0;
}

/** The tap behind the last one inside. */
function endInside(parameters: usize, axis: i32, first: i32, count: i32): i32 {
  const step = dilation(parameters, axis);
  return min(count, (inputs(parameters, axis) - first + step - 1) / step);
}
