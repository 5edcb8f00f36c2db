// The gradient of the largest values of windows: it goes to the first place in the window that has the value.
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

/** One task: for TASK_ROWS rows of windows, which tap of the window is the largest; -1 for none. Parameters: pooling.ts. */
export function largestTaps(parameters: usize, task: i32): void {
  const last = min((task + 1) * word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  for (let row = task * word(parameters, TASK_ROWS); row < last; row++) largestTapsOfRow(parameters, row);
}

function largestTapsOfRow(parameters: usize, outRow: i32): void {
  const channels = word(parameters, CHANNELS);
  const picture = outRow / word(parameters, OUT_HEIGHT);
  const y = outRow - picture * word(parameters, OUT_HEIGHT);
  const top = windowBound(parameters, ROW_AXIS, START, y);
  const bottom = windowBound(parameters, ROW_AXIS, END, y);
  const pixels = word(parameters, HEIGHT) * word(parameters, WIDTH);
  const plane = <usize>word(parameters, X) + ((<usize>(picture * pixels * channels)) << 2);
  const outWidth = word(parameters, OUT_WIDTH);
  let out = <usize>word(parameters, OUT) + ((<usize>(outRow * outWidth * channels)) << 2);
  for (let column = 0; column < outWidth; column++) {
    const left = windowBound(parameters, COLUMN_AXIS, START, column);
    const right = windowBound(parameters, COLUMN_AXIS, END, column);
    for (let channel = 0; channel < channels; channel += 4) {
      const count = min(4, channels - channel);
      const x = plane + ((<usize>channel) << 2);
      for (let lane = 0; lane < count; lane += count == 4 ? 4 : 1) {
        const at = (<usize>lane) << 2;
        const taps = largestTap(parameters, x + at, count == 4, top, bottom, left, right);
        storeSome(out + at, taps, count == 4);
      }
      out += (<usize>count) << 2;
    }
  }
}

/** Of four channels, or of one. */
function largestTap(parameters: usize, x: usize, isFour: bool, top: i32, bottom: i32, left: i32, right: i32): v128 {
  const width = word(parameters, WIDTH);
  const channels = word(parameters, CHANNELS);
  const lastRow = min(bottom, word(parameters, HEIGHT));
  const lastColumn = min(right, width);
  let largest = f32x4.splat(-Infinity);
  let taps = i32x4.splat(-1);
  for (let row = max(0, top); row < lastRow; row++) {
    for (let column = max(0, left); column < lastColumn; column++) {
      const value = loadSome(x + ((<usize>((row * width + column) * channels)) << 2), isFour);
      const isLarger = f32x4.gt(value, largest);
      const tap = (row - top) * (right - left) + column - left;
      largest = v128.bitselect(value, largest, isLarger);
      taps = v128.bitselect(i32x4.splat(tap), taps, isLarger);
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
 * One task: TASK_ROWS rows of pixels, each the sum of DY over the windows whose largest tap it is. X is what `largestTaps`
 * has found.
 */
export function maxPoolGradient(parameters: usize, task: i32): void {
  const last = min((task + 1) * word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  for (let row = task * word(parameters, TASK_ROWS); row < last; row++) gradientOfRow(parameters, row);
}

function gradientOfRow(parameters: usize, outRow: i32): void {
  const channels = word(parameters, CHANNELS);
  const picture = outRow / word(parameters, OUT_HEIGHT);
  const y = outRow - picture * word(parameters, OUT_HEIGHT);
  const windows = (<usize>(picture * word(parameters, HEIGHT) * word(parameters, WIDTH) * channels)) << 2;
  const outWidth = word(parameters, OUT_WIDTH);
  let out = <usize>word(parameters, OUT) + ((<usize>(outRow * outWidth * channels)) << 2);
  for (let x = 0; x < outWidth; x++) {
    for (let channel = 0; channel < channels; channel += 4) {
      const count = min(4, channels - channel);
      for (let lane = 0; lane < count; lane += count == 4 ? 4 : 1) {
        const at = windows + ((<usize>(channel + lane)) << 2);
        storeSome(out + ((<usize>lane) << 2), gradientOfPixel(parameters, at, count == 4, y, x), count == 4);
      }
      out += (<usize>count) << 2;
    }
  }
}

/** For four channels, or for one. */
function gradientOfPixel(parameters: usize, offset: usize, isFour: bool, y: i32, x: i32): v128 {
  const width = word(parameters, WIDTH);
  const channels = word(parameters, CHANNELS);
  const bottom = min(word(parameters, HEIGHT), windowBound(parameters, ROW_AXIS, END, y));
  const right = min(width, windowBound(parameters, COLUMN_AXIS, END, x));
  const left = max(0, windowBound(parameters, COLUMN_AXIS, START, x));
  let sum = f32x4.splat(0);
  for (let row = max(0, windowBound(parameters, ROW_AXIS, START, y)); row < bottom; row++) {
    const tapRow = y + word(parameters, TOP) - row * word(parameters, STRIDE_ROWS);
    for (let column = left; column < right; column++) {
      const tapColumn = x + word(parameters, LEFT) - column * word(parameters, STRIDE_COLUMNS);
      const tap = i32x4.splat(tapRow * word(parameters, TAP_COLUMNS) + tapColumn);
      const at = offset + ((<usize>((row * width + column) * channels)) << 2);
      const isHere = i32x4.eq(loadSome(<usize>word(parameters, X) + at, isFour), tap);
      sum = f32x4.add(sum, v128.and(loadSome(<usize>word(parameters, DY) + at, isFour), isHere));
    }
  }
  return sum;
}

function loadSome(at: usize, isFour: bool): v128 {
  return isFour ? v128.load(at) : v128.load32_zero(at);
}

function storeSome(at: usize, values: v128, isFour: bool): void {
  if (isFour) v128.store(at, values);
  else v128.store_lane<f32>(at, values, 0);
}
