// Indices of the parameters of depthwise convolutions and their gradients, as in ../depthwiseWindows.ts and
// ../depthwiseFilterGradient.ts.
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

// Replace some of these in the gradient with respect to the filter.
export const DY: i32 = 1;
export const SUMS: i32 = 2;
export const ROWS_AT_ONCE: i32 = 7;
export const GROUPS: i32 = 8;
/**
 * Bytes of the sums of one tap: four values for each group of four channels, or for each channel if there are fewer
 * than four.
 */
export const SLOTS: i32 = 63;

/** First word of each axis. */
export const ROWS: i32 = 9;
export const COLUMNS: i32 = 64;

/** The activation after the clip: a number of ../functionConstants.ts, or 0. Only for convolutions. */
export const FUNCTION: i32 = 118;

// Offsets of the words of an axis.
const INPUT: i32 = 0;
const OUTPUT: i32 = 1;
const STRIDE: i32 = 2;
const DILATION: i32 = 3;
const TAP_STEP: i32 = 4;
const PHASES: i32 = 5;
/** From here on three words for each phase: number of taps, first input position, first tap in the filter. */
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

/** Bytes from one tap of the filter to the next. */
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

/** Bytes from the beginning of the filter to the first tap. */
export function firstTap(parameters: usize, axis: i32, phase: i32): i32 {
  return word(parameters, axis + FIRST_PHASE + phase * 3 + 2);
}

/**
 * The first output from 0 on that reads an input position at or after `input`, with the tap that reads `shift` for
 * output 0.
 */
export function firstAtOrAfter(input: i32, shift: i32, stride: i32): i32 {
  return input > shift ? (input - shift + stride - 1) / stride : 0;
}

/**
 * Reads values that are not yet in the cache once, line by line in order: the taps read them in an order that the
 * processor cannot predict.
 */
export function fetch(at: i32, bytes: i32): void {
  for (const end = at + bytes; at < end; at += 64) load<i32>(<usize>at);
}
