// What depthwise convolutions and their gradients are told, as in ../depthwiseWindows.ts and ../depthwiseFilterGradient.ts.
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

// Instead of some of these, for the gradient by the filter.
export const DY: i32 = 1;
export const SUMS: i32 = 2;
export const ROWS_AT_ONCE: i32 = 7;
export const GROUPS: i32 = 8;
/** Bytes of the sums of one tap: four values for each four channels, or for each channel where there are fewer. */
export const SLOTS: i32 = 63;

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

/** The first output at or after 0 that reads, by a tap which reads `shift` for output 0, at or after an input. */
export function firstAtOrAfter(input: i32, shift: i32, stride: i32): i32 {
  return input > shift ? (input - shift + stride - 1) / stride : 0;
}

/**
 * Reads values that are new to the cache once in their order, line by line: what the taps read one after the other is too
 * scattered for the processor to see it coming.
 */
export function fetch(at: i32, bytes: i32): void {
  for (const end = at + bytes; at < end; at += 64) load<i32>(<usize>at);
}
