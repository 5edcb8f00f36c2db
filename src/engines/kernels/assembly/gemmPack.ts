// The right side of a product, packed into panels of 8 columns, so that the inner loop reads it in order.
import { word } from './parameters';

const SOURCE = 0;
const GROUP_SOURCE = 1;
const TAPS_Y = 2;
const TAPS_X = 3;
const TAP_ROW = 4;
const TAP_COLUMN = 5;
const DEPTH = 6;
const COLUMNS = 7;
/** Bytes from one row of a matrix to the next. */
const LINE = 8;
/** Whether a row of the matrix is a column of the product. */
const IS_TRANSPOSED = 9;
const PANELS = 10;
const GROUP_PANELS = 11;
const TASK_PANELS = 12;

/** One task: packs some panels of one group, with the matrices of all taps. */
export function packPanels(parameters: usize, task: i32): void {
  const panels = (word(parameters, COLUMNS) + 7) >> 3;
  const taskPanels = word(parameters, TASK_PANELS);
  const tasks = (panels + taskPanels - 1) / taskPanels;
  const group = task / tasks;
  const first = (task - group * tasks) * taskPanels;
  const source = <usize>word(parameters, SOURCE) + <usize>(group * word(parameters, GROUP_SOURCE));
  const to = <usize>word(parameters, PANELS) + <usize>(group * word(parameters, GROUP_PANELS));
  const bytes = (word(parameters, TAPS_Y) * word(parameters, TAPS_X) * word(parameters, DEPTH)) << 5;
  const last = min(panels, first + taskPanels);
  for (let panel = first; panel < last; panel++) packPanel(parameters, source, panel << 3, to + <usize>(panel * bytes));
}

function packPanel(parameters: usize, source: usize, column: i32, panel: usize): void {
  const columns = min(8, word(parameters, COLUMNS) - column);
  let to = panel;
  const depth = word(parameters, DEPTH);
  const line = <usize>word(parameters, LINE);
  const isTransposed = word(parameters, IS_TRANSPOSED);
  for (let y = 0; y < word(parameters, TAPS_Y); y++) {
    for (let x = 0; x < word(parameters, TAPS_X); x++) {
      const matrix = source + <usize>(y * word(parameters, TAP_ROW) + x * word(parameters, TAP_COLUMN));
      if (isTransposed) packTransposed(matrix + <usize>column * line, line, depth, columns, to);
      else packStraight(matrix + ((<usize>column) << 2), line, depth, columns, to);
      to += (<usize>depth) << 5;
    }
  }
}

function packStraight(matrix: usize, line: usize, depth: i32, columns: i32, to: usize): void {
  let from = matrix;
  const end = to + ((<usize>depth) << 5);
  for (; to < end; to += 32) {
    if (columns == 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    } else {
      memory.fill(to, 0, 32);
      for (let i: usize = 0; i < <usize>columns; i++) store<f32>(to + (i << 2), load<f32>(from + (i << 2)));
    }
    from += line;
  }
}

/** Columns beyond the last one of the product are copies of it: they are never stored. */
function packTransposed(matrix: usize, line: usize, depth: i32, columns: i32, to: usize): void {
  const last = columns - 1;
  packFour(matrix, line, depth, 0, last, to);
  packFour(matrix, line, depth, 4, last, to + 16);
}

function packFour(matrix: usize, line: usize, depth: i32, column: i32, last: i32, to: usize): void {
  const r0 = matrix + <usize>min(column, last) * line;
  const r1 = matrix + <usize>min(column + 1, last) * line;
  const r2 = matrix + <usize>min(column + 2, last) * line;
  const r3 = matrix + <usize>min(column + 3, last) * line;
  let k: usize = 0;
  const end = (<usize>depth) << 2;
  for (; k + 16 <= end; k += 16) {
    const a = v128.load(r0 + k);
    const b = v128.load(r1 + k);
    const c = v128.load(r2 + k);
    const d = v128.load(r3 + k);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    const out = to + (k << 3);
    v128.store(out, v128.shuffle<f64>(ab, cd, 0, 2));
    v128.store(out, v128.shuffle<f64>(ab, cd, 1, 3), 32);
    v128.store(out, v128.shuffle<f64>(ab2, cd2, 0, 2), 64);
    v128.store(out, v128.shuffle<f64>(ab2, cd2, 1, 3), 96);
  }
  for (; k < end; k += 4) {
    const out = to + (k << 3);
    store<f32>(out, load<f32>(r0 + k));
    store<f32>(out, load<f32>(r1 + k), 4);
    store<f32>(out, load<f32>(r2 + k), 8);
    store<f32>(out, load<f32>(r3 + k), 12);
  }
}
