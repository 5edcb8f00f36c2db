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
  fetch,
  firstAtOrAfter,
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
import { One, Two, threeTaps } from './depthwiseThreeTaps';
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
  const from = firstAtOrAfter(0, first, dilation(parameters, ROWS));
  const to = min(
    taps(parameters, ROWS, phase),
    firstAtOrAfter(inputs(parameters, ROWS), first, dilation(parameters, ROWS)),
  );
  const inputRow = picture * inputs(parameters, ROWS) + first + from * dilation(parameters, ROWS);
  const pixel = word(parameters, PIXEL);
  const x = word(parameters, X) + inputRow * inputs(parameters, COLUMNS) * pixel;
  const filter = word(parameters, FILTER) + firstTap(parameters, ROWS, phase) + from * tapStep(parameters, ROWS);
  const outputIndex = picture * outputs(parameters, ROWS) + row;
  const out = word(parameters, OUT) + outputIndex * outputs(parameters, COLUMNS) * pixel;
  const fresh = max(min(to - from, stride(parameters, ROWS)), 0);
  const step = dilation(parameters, ROWS) * inputs(parameters, COLUMNS) * pixel;
  for (let tap = to - from - fresh; tap < to - from; tap++) fetch(x + tap * step, inputs(parameters, COLUMNS) * pixel);
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
  const left = min(firstAtOrAfter(0, first, step), count);
  const right = max(min(firstAtOrAfter(inputs(parameters, COLUMNS) - reach, first, step), count), left);
  const pixel = word(parameters, PIXEL);
  const filterAt = filter + firstTap(parameters, COLUMNS, phase);
  for (let column = 0; column < left; column++)
    edgePixel(parameters, x, filterAt, out + column * all * pixel, rows, width, first + column * step);
  const stepOfThree = width == 3 && dilation(parameters, COLUMNS) == 1 ? step : 0;
  let column = left;
  if (right - left >= 4 && pixel >= 16) {
    // The last four may overlap those before: they come out the same.
    for (; column < right; column += 4) {
      const at = min(column, right - 4);
      const xAt = x + (first + at * step) * pixel;
      const outAt = out + at * all * pixel;
      if (stepOfThree == 1) threeTaps<One>(parameters, xAt, filterAt, outAt, rows);
      else if (stepOfThree == 2) threeTaps<Two>(parameters, xAt, filterAt, outAt, rows);
      else fourPixels(parameters, xAt, filterAt, outAt, rows, width);
    }
    column = right;
  }
  for (; column < count; column++)
    edgePixel(parameters, x, filterAt, out + column * all * pixel, rows, width, first + column * step);
}

/** A pixel whose first tap is at an input column that may be outside. */
function edgePixel(parameters: usize, x: i32, filter: i32, out: i32, rows: i32, width: i32, first: i32): void {
  const from = firstAtOrAfter(0, first, dilation(parameters, COLUMNS));
  const to = min(width, firstAtOrAfter(inputs(parameters, COLUMNS), first, dilation(parameters, COLUMNS)));
  const column = first + from * dilation(parameters, COLUMNS);
  const xAt = x + column * word(parameters, PIXEL);
  onePixel(parameters, xAt, filter + from * tapStep(parameters, COLUMNS), out, rows, max(to - from, 0));
}
