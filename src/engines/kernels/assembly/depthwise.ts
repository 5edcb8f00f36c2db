// Depthwise convolutions: each channel is a separate picture, and several are computed at once. An output pixel skips
// the taps that are outside the picture. The gradient with respect to the input of a strided convolution has phases:
// outputs whose distance is a multiple of the stride use the same taps.
import {
  COLUMNS,
  FILTER,
  FUNCTION,
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
import { applyFunction } from './applyFunction';
import { Four, Single } from './depthwiseLanes';
import { fourPairs } from './depthwisePairs';
import { fourPixels, onePixel } from './depthwisePixels';
import { One, Two, threeTaps } from './depthwiseThreeTaps';
import { word } from './parameters';

/** One task: some rows of the output, counted over all pictures. */
export function depthwise(parameters: usize, task: i32): void {
  const rows = outputs(parameters, ROWS);
  const perTask = word(parameters, ROWS_PER_TASK);
  const end = min((task + 1) * perTask, word(parameters, PICTURES) * rows);
  const bytes = outputs(parameters, COLUMNS) * word(parameters, PIXEL);
  const number = word(parameters, FUNCTION);
  for (let row = task * perTask; row < end; row++) {
    outputRow(parameters, row / rows, row % rows);
    const out = <usize>(word(parameters, OUT) + row * bytes);
    if (number != 0) applyFunction(parameters, number, out, out, <usize>bytes);
  }
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
  const count = max(to - from, 0);
  const inputBytes = inputs(parameters, COLUMNS) * pixel;
  for (let tap = max(count - stride(parameters, ROWS), 0); tap < count; tap++)
    fetch(x + tap * dilation(parameters, ROWS) * inputBytes, inputBytes);
  if (isSpreadThree(parameters)) {
    outputPairs(parameters, x, filter, out, count);
    return;
  }
  const columnPhases = phases(parameters, COLUMNS);
  for (let column = 0; column < columnPhases; column++) outputColumns(parameters, column, x, filter, out, count);
}

/**
 * Computes the pixels of one phase in a row: single ones at the edges, where taps are outside, and groups of four
 * between.
 */
function outputColumns(parameters: usize, phase: i32, x: i32, filter: i32, out: i32, rows: i32): void {
  const all = phases(parameters, COLUMNS);
  const columns = outputs(parameters, COLUMNS);
  const width = taps(parameters, COLUMNS, phase);
  const first = start(parameters, COLUMNS, phase);
  const step = stride(parameters, COLUMNS);
  const count = (columns - phase + all - 1) / all;
  const reach = max(width - 1, 0) * dilation(parameters, COLUMNS);
  const left = min(firstAtOrAfter(0, first, step), count);
  const right = min(firstAtOrAfter(inputs(parameters, COLUMNS) - reach, first, step), count);
  const pixel = word(parameters, PIXEL);
  const filterAt = filter + firstTap(parameters, COLUMNS, phase);
  const stepOfThree = width == 3 && dilation(parameters, COLUMNS) == 1 ? step : 0;
  const end = right - left >= 4 && pixel >= 16 ? right : left;
  for (let place = left; place < end; place += 4) {
    const at = min(place, end - 4); // The last four may overlap the previous ones: same results.
    const xAt = x + (first + at * step) * pixel;
    const outAt = out + (phase + at * all) * pixel;
    if (stepOfThree == 1) threeTaps<One>(parameters, xAt, filterAt, outAt, rows);
    else if (stepOfThree == 2) threeTaps<Two>(parameters, xAt, filterAt, outAt, rows);
    else fourPixels(parameters, xAt, filterAt, outAt, rows, width);
  }
  for (let place = 0; place < left; place++) edgePixel(parameters, phase + place * all, x, filter, out, rows);
  for (let place = end; place < count; place++) edgePixel(parameters, phase + place * all, x, filter, out, rows);
}

/** Whether outputs alternate between two taps and one: the gradient of three taps with stride 2. */
function isSpreadThree(parameters: usize): bool {
  const isTwoAndOne = taps(parameters, COLUMNS, 0) * taps(parameters, COLUMNS, 1) == 2;
  return phases(parameters, COLUMNS) == 2 && isTwoAndOne && dilation(parameters, COLUMNS) == 1;
}

/** Computes pixels in pairs: the first reads two columns, the second only the latter of them. */
function outputPairs(parameters: usize, x: i32, filter: i32, out: i32, rows: i32): void {
  const phase = taps(parameters, COLUMNS, 0) == 2 ? 0 : 1;
  const columns = outputs(parameters, COLUMNS);
  const pixel = word(parameters, PIXEL);
  const first = start(parameters, COLUMNS, phase);
  const left = min(firstAtOrAfter(0, first, 1), (columns - phase) / 2);
  const right = min(firstAtOrAfter(inputs(parameters, COLUMNS) - 1, first, 1), (columns - phase) / 2);
  const end = right - left >= 4 && pixel >= 16 ? right : left;
  for (let place = left; place < end; place += 4) {
    const at = min(place, end - 4); // The last four pairs may overlap the previous ones: same results.
    fourPairs(parameters, x + (first + at) * pixel, filter, out + (phase + 2 * at) * pixel, rows, phase);
  }
  for (let column = 0; column < phase + 2 * left; column++) edgePixel(parameters, column, x, filter, out, rows);
  for (let column = phase + 2 * end; column < columns; column++) edgePixel(parameters, column, x, filter, out, rows);
}

/** Computes a pixel that may have taps outside the picture. */
function edgePixel(parameters: usize, column: i32, x: i32, filter: i32, out: i32, rows: i32): void {
  const all = phases(parameters, COLUMNS);
  const phase = column % all;
  const first = start(parameters, COLUMNS, phase) + (column / all) * stride(parameters, COLUMNS);
  const step = dilation(parameters, COLUMNS);
  const from = firstAtOrAfter(0, first, step);
  const to = min(taps(parameters, COLUMNS, phase), firstAtOrAfter(inputs(parameters, COLUMNS), first, step));
  const pixel = word(parameters, PIXEL);
  const xAt = x + (first + from * step) * pixel;
  const filterAt = filter + firstTap(parameters, COLUMNS, phase) + from * tapStep(parameters, COLUMNS);
  const outAt = out + column * pixel;
  if (pixel >= 16) onePixel<Four>(parameters, xAt, filterAt, outAt, rows, max(to - from, 0));
  else onePixel<Single>(parameters, xAt, filterAt, outAt, rows, max(to - from, 0));
}
