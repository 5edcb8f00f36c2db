// Indices of the parameters of `filterGradient` and `filterGradientSum`, after those that products have too; in the
// order of ../convolutionFilterGradient.ts.
import { COLUMNS, DEPTH, TAPS_X, TAPS_Y } from './gemmParameters';
import { word } from './parameters';

export const TASK_TAPS = 40;
/** Address of the sums of all parts, ordered by part, tap and panel: 8 columns for each channel. */
const SUMS = 41;
export const PARTS = 42;
export const RESULT = 43;
/** Number of panels, of any tap, in one task of `filterGradientSum`. */
export const SUM_PANELS = 44;
// Offsets of a thread's copies in its scratch memory, in bytes; 0 if it reads the original values.
/** Columns of the output's gradient; each panel is contiguous. */
export const PACKED = 45;
/** Some channels of the pixels, followed by the addresses of these copies. */
export const COPIES = 46;

/** Number of positions in the filter. */
export function tapsOf(parameters: usize): i32 {
  return word(parameters, TAPS_Y) * word(parameters, TAPS_X);
}

/** Number of groups of 8 columns. */
export function panelsOf(parameters: usize): i32 {
  return (word(parameters, COLUMNS) + 7) >> 3;
}

/** Address of the sums of a panel. */
export function sumsOf(parameters: usize, part: i32, tap: i32, panel: i32): usize {
  const unit = (part * tapsOf(parameters) + tap) * panelsOf(parameters) + panel;
  return <usize>word(parameters, SUMS) + <usize>(unit * (word(parameters, DEPTH) << 5));
}
