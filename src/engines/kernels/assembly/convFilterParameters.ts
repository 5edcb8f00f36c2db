// Where the parameters of `filterGradient` and `filterGradientSum` are, behind those that products have too; the same
// order as in ../convolutionFilterGradient.ts.
import { COLUMNS, DEPTH, TAPS_X, TAPS_Y } from './gemmParameters';
import { word } from './parameters';

export const TASK_TAPS = 40;
/** Sums of all parts: part by part, tap by tap, panel by panel, 8 columns for each channel. */
const SUMS = 41;
export const PARTS = 42;
export const RESULT = 43;
/** Panels, of any tap, that one task of `filterGradientSum` does. */
export const SUM_PANELS = 44;
// Where a thread keeps what it copies, in bytes behind the start of its scratch; 0 when it reads them where they are.
/** Columns of the gradient of the output, each panel in one piece. */
export const PACKED = 45;
/** Some channels of the pixels, behind them the addresses of these copies. */
export const COPIES = 46;

/** Positions in the filter. */
export function tapsOf(parameters: usize): i32 {
  return word(parameters, TAPS_Y) * word(parameters, TAPS_X);
}

/** Groups of 8 columns. */
export function panelsOf(parameters: usize): i32 {
  return (word(parameters, COLUMNS) + 7) >> 3;
}

/** Where the sums of a panel are. */
export function sumsOf(parameters: usize, part: i32, tap: i32, panel: i32): usize {
  const unit = (part * tapsOf(parameters) + tap) * panelsOf(parameters) + panel;
  return <usize>word(parameters, SUMS) + <usize>(unit * (word(parameters, DEPTH) << 5));
}
