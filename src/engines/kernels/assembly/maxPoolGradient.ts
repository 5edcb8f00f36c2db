// The gradient of max pooling: it is added at the first position in the window that has the largest value.
import {
  CHANNELS,
  COLUMN_AXIS,
  END,
  HEIGHT,
  OUT,
  OUT_HEIGHT,
  OUT_ROWS,
  OUT_WIDTH,
  ROW_AXIS,
  START,
  TASK_ROWS,
  WIDTH,
  X,
  windowBound,
} from './pooling';
import { word } from './parameters';

/**
 * One task: finds the tap with the largest value, for TASK_ROWS rows of windows; -1 if there is none. Parameters:
 * pooling.ts.
 */
export function largestTaps(parameters: usize, task: i32): void {
  const last = min((task + 1) * word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  for (let row = task * word(parameters, TASK_ROWS); row < last; row++) largestTapsOfRow(parameters, row);
}

function largestTapsOfRow(parameters: usize, outRow: i32): void {
  const channels = word(parameters, CHANNELS);
  const width = word(parameters, WIDTH);
  const height = word(parameters, HEIGHT);
  const picture = outRow / word(parameters, OUT_HEIGHT);
  const y = outRow - picture * word(parameters, OUT_HEIGHT);
  const top = windowBound(parameters, ROW_AXIS, START, y);
  const firstRow = max(0, top);
  const rows = min(height, windowBound(parameters, ROW_AXIS, END, y)) - firstRow;
  const x = <usize>word(parameters, X) + ((<usize>((picture * height + firstRow) * width * channels)) << 2);
  const outWidth = word(parameters, OUT_WIDTH);
  let out = <usize>word(parameters, OUT) + ((<usize>(outRow * outWidth * channels)) << 2);
  for (let column = 0; column < outWidth; column++) {
    const left = windowBound(parameters, COLUMN_AXIS, START, column);
    const right = windowBound(parameters, COLUMN_AXIS, END, column);
    const first = max(0, left);
    const columns = min(width, right) - first;
    const tap = (firstRow - top) * (right - left) + first - left;
    largestTapsOfWindow(
      x + ((<usize>(first * channels)) << 2),
      width * channels,
      channels,
      rows,
      columns,
      tap,
      right - left,
      out,
    );
    out += (<usize>channels) << 2;
  }
}

function largestTapsOfWindow(
  x: usize,
  rowValues: i32,
  channels: i32,
  rows: i32,
  columns: i32,
  tap: i32,
  tapColumns: i32,
  out: usize,
): void {
  const rowBytes = (<usize>rowValues) << 2;
  const pixelBytes = (<usize>channels) << 2;
  const end = out + pixelBytes;
  while (out < end) {
    const isFour = out + 16 <= end;
    storeSome(out, largestTap(x, rowBytes, pixelBytes, rows, columns, tap, tapColumns, isFour), isFour);
    const step: usize = isFour ? 16 : 4;
    x += step;
    out += step;
  }
}

/** Finds the tap for four channels, or for one. */
function largestTap(
  x: usize,
  rowBytes: usize,
  pixelBytes: usize,
  rows: i32,
  columns: i32,
  tap: i32,
  tapColumns: i32,
  isFour: bool,
): v128 {
  let largest = f32x4.splat(-Infinity);
  let taps = i32x4.splat(-1);
  for (let row = 0; row < rows; row++) {
    let at = x + <usize>row * rowBytes;
    for (let column = 0; column < columns; column++) {
      const value = loadSome(at, isFour);
      const isLarger = f32x4.gt(value, largest);
      largest = v128.bitselect(value, largest, isLarger);
      taps = v128.bitselect(i32x4.splat(tap + row * tapColumns + column), taps, isLarger);
      at += pixelBytes;
    }
  }
  return taps;
}

const DY = 17;
const STRIDE_ROWS = 18;
const STRIDE_COLUMNS = 19;
const TOP = 20;
const LEFT = 21;
const TAP_COLUMNS = 22;

/**
 * One task: TASK_ROWS rows of pixels, each the sum of DY over the windows in which it is the largest value. X has the
 * results of `largestTaps`.
 */
export function maxPoolGradient(parameters: usize, task: i32): void {
  const last = min((task + 1) * word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  for (let row = task * word(parameters, TASK_ROWS); row < last; row++) gradientOfRow(parameters, row);
}

function gradientOfRow(parameters: usize, outRow: i32): void {
  const channels = word(parameters, CHANNELS);
  const width = word(parameters, WIDTH);
  const height = word(parameters, HEIGHT);
  const picture = outRow / word(parameters, OUT_HEIGHT);
  const y = outRow - picture * word(parameters, OUT_HEIGHT);
  const first = max(0, windowBound(parameters, ROW_AXIS, START, y));
  const rows = min(height, windowBound(parameters, ROW_AXIS, END, y)) - first;
  const tapRow = y + word(parameters, TOP) - first * word(parameters, STRIDE_ROWS);
  const outWidth = word(parameters, OUT_WIDTH);
  let out = <usize>word(parameters, OUT) + ((<usize>(outRow * outWidth * channels)) << 2);
  for (let x = 0; x < outWidth; x++) {
    const left = max(0, windowBound(parameters, COLUMN_AXIS, START, x));
    const columns = min(width, windowBound(parameters, COLUMN_AXIS, END, x)) - left;
    const tapColumn = x + word(parameters, LEFT) - left * word(parameters, STRIDE_COLUMNS);
    const tap = tapRow * word(parameters, TAP_COLUMNS) + tapColumn;
    const offset = (<usize>(((picture * height + first) * width + left) * channels)) << 2;
    gradientOfPixel(parameters, offset, rows, columns, tap, out);
    out += (<usize>channels) << 2;
  }
}

/** Adds the gradients of the windows at `offset`; the pixel is number `tap` in the first of them. */
function gradientOfPixel(parameters: usize, offset: usize, rows: i32, columns: i32, tap: i32, out: usize): void {
  const pixelBytes = (<usize>word(parameters, CHANNELS)) << 2;
  const rowBytes = <usize>word(parameters, WIDTH) * pixelBytes;
  const rowStep = word(parameters, STRIDE_ROWS) * word(parameters, TAP_COLUMNS);
  const columnStep = word(parameters, STRIDE_COLUMNS);
  const end = out + pixelBytes;
  let taps = <usize>word(parameters, X) + offset;
  let dy = <usize>word(parameters, DY) + offset;
  while (out < end) {
    const isFour = out + 16 <= end;
    let sum = f32x4.splat(0);
    for (let row = 0; row < rows; row++) {
      let at = <usize>row * rowBytes;
      for (let column = 0; column < columns; column++) {
        const here = i32x4.splat(tap - row * rowStep - column * columnStep);
        const isHere = i32x4.eq(loadSome(taps + at, isFour), here);
        sum = f32x4.add(sum, v128.and(loadSome(dy + at, isFour), isHere));
        at += pixelBytes;
      }
    }
    storeSome(out, sum, isFour);
    const step: usize = isFour ? 16 : 4;
    taps += step;
    dy += step;
    out += step;
  }
}

function loadSome(at: usize, isFour: bool): v128 {
  return isFour ? v128.load(at) : v128.load32_zero(at);
}

function storeSome(at: usize, values: v128, isFour: bool): void {
  if (isFour) v128.store(at, values);
  else v128.store_lane<f32>(at, values, 0);
}
