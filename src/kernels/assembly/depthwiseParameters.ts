// What a depthwise convolution is told, as in ../depthwiseWindows.ts.
import { word } from './parameters';

export const X: i32 = 0;
export const FILTER: i32 = 1;
export const BIAS: i32 = 2;
export const OUT: i32 = 3;
/** Bytes of a pixel. */
export const PIXEL: i32 = 4;
export const PICTURES: i32 = 5;
export const ROWS_PER_TASK: i32 = 6;
export const LOW: i32 = 7;
export const HIGH: i32 = 8;

/** Where the words of the two axes begin. */
export const ROWS: i32 = 9;
export const COLUMNS: i32 = 64;

// Words of an axis.
const INPUT: i32 = 0;
const OUTPUT: i32 = 1;
const STRIDE: i32 = 2;
const DILATION: i32 = 3;
const TAP_STEP: i32 = 4;
const PHASES: i32 = 5;
/** From here three words for each phase: how many taps, where the first one reads, where in the filter it is. */
const FIRST_PHASE: i32 = 6;

export function inputs(parameters: usize, axis: i32): i32 {
  return word(parameters, axis + INPUT);
}

export function outputs(parameters: usize, axis: i32): i32 {
  return word(parameters, axis + OUTPUT);
}

export function stride(parameters: usize, axis: i32): i32 {
  return word(parameters, axis + STRIDE);
}

export function dilation(parameters: usize, axis: i32): i32 {
  return word(parameters, axis + DILATION);
}

/** Bytes in the filter from one tap to the next. */
export function tapStep(parameters: usize, axis: i32): i32 {
  return word(parameters, axis + TAP_STEP);
}

export function phases(parameters: usize, axis: i32): i32 {
  return word(parameters, axis + PHASES);
}

export function taps(parameters: usize, axis: i32, phase: i32): i32 {
  return word(parameters, axis + FIRST_PHASE + phase * 3);
}

/** The input position that the first tap reads for the first output of the phase. */
export function start(parameters: usize, axis: i32, phase: i32): i32 {
  return word(parameters, axis + FIRST_PHASE + phase * 3 + 1);
}

/** Bytes from the filter's begin to the first tap. */
export function firstTap(parameters: usize, axis: i32, phase: i32): i32 {
  return word(parameters, axis + FIRST_PHASE + phase * 3 + 2);
}
