// Winograd's transform of filters to 36 matrices, each packed into panels of 8 columns.
import { word } from './parameters';
import { filterLine } from './winogradLines';
import { POINTS } from './winogradTile';

// Parameters, in the order of ../winogradFilters.ts.
const SOURCE = 0;
/** Bytes from one tap to the next, in both directions. */
const TAP_ROW = 1;
const TAP_COLUMN = 2;
/** Bytes from one row of a tap's matrix to the next. */
const LINE = 3;
/** Whether a row of the matrix is a column of the product. */
const IS_TRANSPOSED = 4;
const CHANNELS = 5;
const RESULTS = 6;
const MATRICES = 7;
const MATRIX = 8;
const TASK_PANELS = 9;
const SCRATCH = 10;

/** Taps of a filter along an axis. */
const TAPS: usize = 3;
/** Channels of all panels that are read before the next ones: a panel alone would read 32 bytes of a cache line. */
const BLOCK: i32 = 16;

/** Memory of a thread: filters that are half transformed, and taps of four channels with four columns. */
const FILTER_SCRATCH: usize = 1024;
const HALF_BYTES: usize = 320;

/** One task: transforms some panels. Channels and results are multiples of 4. */
export function transformFilters(parameters: usize, task: i32, thread: i32): void {
  const half = <usize>word(parameters, SCRATCH) + <usize>thread * FILTER_SCRATCH;
  const channels = word(parameters, CHANNELS);
  const results = word(parameters, RESULTS);
  const taskPanels = word(parameters, TASK_PANELS);
  const first = task * taskPanels;
  const last = min((results + 7) >> 3, first + taskPanels);
  for (let channel = 0; channel < channels; channel += BLOCK) {
    const end = min(channels, channel + BLOCK);
    for (let panel = first; panel < last; panel++) {
      const to = <usize>word(parameters, MATRICES) + <usize>(panel * (channels << 5));
      for (let part = 0; part < 2; part++) {
        const column = (panel << 3) + (part << 2);
        const at = to + <usize>(part << 4);
        if (column >= results) clearColumns(parameters, channel, end, at);
        else if (word(parameters, IS_TRANSPOSED)) transformTransposed(parameters, channel, end, column, at, half);
        else transformStraight(parameters, channel, end, column, at, half);
      }
    }
  }
}

function clearColumns(parameters: usize, channel: i32, end: i32, to: usize): void {
  const step = <usize>word(parameters, MATRIX);
  for (; channel < end; channel++) {
    let at = to + <usize>(channel << 5);
    for (let i = 0; i < POINTS; i++) {
      v128.store(at, f32x4.splat(0));
      at += step;
    }
  }
}

/** Four columns are adjacent. */
function transformStraight(parameters: usize, channel: i32, end: i32, column: i32, to: usize, half: usize): void {
  const source = <usize>word(parameters, SOURCE) + <usize>(column << 2);
  const rowStep = <usize>word(parameters, TAP_ROW);
  const columnStep = <usize>word(parameters, TAP_COLUMN);
  const step = <usize>word(parameters, MATRIX);
  for (; channel < end; channel++) {
    const from = source + <usize>(channel * word(parameters, LINE));
    transformOne(from, rowStep, columnStep, to + <usize>(channel << 5), step, half);
  }
}

/** Four channels are adjacent. */
function transformTransposed(parameters: usize, channel: i32, end: i32, column: i32, to: usize, half: usize): void {
  const line = <usize>word(parameters, LINE);
  const source = <usize>word(parameters, SOURCE) + <usize>column * line;
  const step = <usize>word(parameters, MATRIX);
  const turned = half + HALF_BYTES;
  for (; channel < end; channel += 4) {
    for (let y: usize = 0; y < TAPS; y++) {
      for (let x: usize = 0; x < TAPS; x++) {
        const tap = y * <usize>word(parameters, TAP_ROW) + x * <usize>word(parameters, TAP_COLUMN);
        turn(source + tap + <usize>(channel << 2), line, turned + ((y * TAPS + x) << 6));
      }
    }
    for (let i: usize = 0; i < 4; i++) {
      transformOne(turned + (i << 4), TAPS << 6, 64, to + ((<usize>channel + i) << 5), step, half);
    }
  }
}

/** Writes the columns of four lines of four values. */
function turn(from: usize, line: usize, to: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + line);
  const c = v128.load(from + 2 * line);
  const d = v128.load(from + 3 * line);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<f64>(ab, cd, 1, 3), 16);
  v128.store(to, v128.shuffle<f64>(ab2, cd2, 0, 2), 32);
  v128.store(to, v128.shuffle<f64>(ab2, cd2, 1, 3), 48);
}

/** Transforms the filters of one channel and four columns. */
function transformOne(from: usize, rowStep: usize, columnStep: usize, to: usize, step: usize, half: usize): void {
  for (let x: usize = 0; x < TAPS; x++) {
    const at = from + x * columnStep;
    filterLine(v128.load(at), v128.load(at + rowStep), v128.load(at + 2 * rowStep), half + (x << 4), TAPS << 4);
  }
  for (let y: usize = 0; y < 6; y++) {
    const at = half + y * (TAPS << 4);
    filterLine(v128.load(at), v128.load(at, 16), v128.load(at, 32), to + y * 6 * step, step);
  }
}
