// The gradient of a convolution by its filter: for each tap the pixels that it read, transposed, times the gradient of
// the output. The rows are cut into parts with sums of their own, which a second kernel adds in their order.
import { gradientLine, gradientTile } from './convFilterTile';
import {
  BLOCK_ROWS,
  COLUMNS,
  DEPTH,
  INPUT,
  OUTPUT,
  OUTPUT_PIXEL,
  ROWS,
  SCRATCH,
  SCRATCH_BYTES,
  TABLE_BYTES,
  TAPS_X,
  TAPS_Y,
  TASK_PANELS,
  TASK_ROWS,
} from './gemmParameters';
import { fillTable } from './gemmTable';
import { storeColumns } from './gemmTile';
import { word } from './parameters';

// After the parameters that products have too.
const TASK_TAPS = 40;
/** Sums of all parts: part by part, tap by tap, panel by panel, 8 columns for each channel. */
const SUMS = 41;
/** Where the packed columns of a thread are, behind its scratch. */
const PACKED = 42;
const PARTS = 43;
const RESULT = 44;
/** Taps times panels that one task of `filterGradientSum` does. */
const SUM_UNITS = 45;

/** One task: the rows of one part, for some taps and some panels of columns. */
export function filterGradient(parameters: usize, task: i32, thread: i32): void {
  const taps = tapsOf(parameters);
  const taskTaps = word(parameters, TASK_TAPS);
  const tapTasks = (taps + taskTaps - 1) / taskTaps;
  const panels = panelsOf(parameters);
  const taskPanels = word(parameters, TASK_PANELS);
  const panelTasks = (panels + taskPanels - 1) / taskPanels;
  const part = task / (tapTasks * panelTasks);
  const inPart = task - part * tapTasks * panelTasks;
  const tap = (inPart / panelTasks) * taskTaps;
  const panel = (inPart % panelTasks) * taskPanels;
  const lastTap = min(taps, tap + taskTaps);
  const count = min(taskPanels, panels - panel);
  for (let t = tap; t < lastTap; t++) {
    memory.fill(sumsOf(parameters, part, t, panel), 0, <usize>(count * (word(parameters, DEPTH) << 5)));
  }
  const start = part * word(parameters, TASK_ROWS);
  const end = min(word(parameters, ROWS), start + word(parameters, TASK_ROWS));
  const block = word(parameters, BLOCK_ROWS);
  for (let row = start; row < end; row += block) {
    addBlock(parameters, part, row, min(block, end - row), tap, lastTap, panel, count, thread);
  }
}

function addBlock(
  parameters: usize,
  part: i32,
  row: i32,
  rows: i32,
  firstTap: i32,
  lastTap: i32,
  panel: i32,
  count: i32,
  thread: i32,
): void {
  const table = <usize>word(parameters, SCRATCH) + <usize>(thread * word(parameters, SCRATCH_BYTES));
  const input = <usize>word(parameters, INPUT);
  const slope = <usize>word(parameters, OUTPUT);
  const block = word(parameters, BLOCK_ROWS);
  fillTable(parameters, block, input, slope, row, rows, table, table + <usize>word(parameters, TABLE_BYTES));
  const packed = table + <usize>word(parameters, PACKED);
  packColumns(parameters, slope + <usize>(row * word(parameters, OUTPUT_PIXEL)), rows, panel, count, packed);
  for (let tap = firstTap; tap < lastTap; tap++) {
    const pixels = table + <usize>((tap + 1) * block * 4);
    addTap(parameters, pixels, rows, packed, count, sumsOf(parameters, part, tap, panel));
  }
}

/** Copies the columns of some panels, so that each panel lies in one piece. */
function packColumns(parameters: usize, slope: usize, rows: i32, panel: i32, count: i32, packed: usize): void {
  const pixel = <usize>word(parameters, OUTPUT_PIXEL);
  const columns = word(parameters, COLUMNS) - (panel << 3);
  const whole = min(count, columns >> 3);
  const bytes = (<usize>rows) << 5;
  let from = slope + ((<usize>panel) << 5);
  for (let row = 0; row < rows; row++) {
    let to = packed + ((<usize>row) << 5);
    for (let i: usize = 0; i < <usize>whole; i++) {
      v128.store(to, v128.load(from + (i << 5)));
      v128.store(to, v128.load(from + (i << 5), 16), 16);
      to += bytes;
    }
    if (whole < count) {
      memory.fill(to, 0, 32);
      memory.copy(to, from + ((<usize>whole) << 5), <usize>((columns - (whole << 3)) << 2));
    }
    from += pixel;
  }
}

/** One tap: 16 channels at a time, which share a line of the cache. */
function addTap(parameters: usize, pixels: usize, rows: i32, packed: usize, count: i32, sums: usize): void {
  const depth = word(parameters, DEPTH);
  const end = pixels + ((<usize>rows) << 2);
  for (let first = 0; first < depth; first += 16) {
    const last = min(depth, first + 16);
    for (let panel = 0; panel < count; panel++) {
      const right = packed + <usize>(panel * (rows << 5));
      const to = sums + <usize>(panel * (depth << 5));
      let i = first;
      for (; i + 4 <= last; i += 4) gradientTile(pixels, end, <usize>(i << 2), right, 32, to + <usize>(i << 5));
      for (; i < last; i++) gradientLine(pixels, end, <usize>(i << 2), right, 32, to + <usize>(i << 5));
    }
  }
}

/** Adds the parts and writes the result. One task: some panels of some taps. */
export function filterGradientSum(parameters: usize, task: i32): void {
  const panels = panelsOf(parameters);
  const units = tapsOf(parameters) * panels;
  const first = task * word(parameters, SUM_UNITS);
  const last = min(units, first + word(parameters, SUM_UNITS));
  for (let unit = first; unit < last; unit++) {
    const tap = unit / panels;
    sumPanel(parameters, tap, unit - tap * panels);
  }
}

function sumPanel(parameters: usize, tap: i32, panel: i32): void {
  const depth = word(parameters, DEPTH);
  const parts = word(parameters, PARTS);
  const line = word(parameters, COLUMNS) << 2;
  const partBytes = sumsOf(parameters, 1, 0, 0) - sumsOf(parameters, 0, 0, 0);
  const columns = word(parameters, COLUMNS) - (panel << 3);
  let from = sumsOf(parameters, 0, tap, panel);
  let to = <usize>word(parameters, RESULT) + <usize>(tap * depth * line + (panel << 5));
  for (let channel = 0; channel < depth; channel++) {
    let left = v128.load(from);
    let right = v128.load(from, 16);
    let at = from;
    for (let part = 1; part < parts; part++) {
      at += partBytes;
      left = f32x4.add(left, v128.load(at));
      right = f32x4.add(right, v128.load(at, 16));
    }
    storeColumns(to, left, right, columns);
    from += 32;
    to += <usize>line;
  }
}

function tapsOf(parameters: usize): i32 {
  return word(parameters, TAPS_Y) * word(parameters, TAPS_X);
}

function panelsOf(parameters: usize): i32 {
  return (word(parameters, COLUMNS) + 7) >> 3;
}

/** Where the sums of a panel are. */
function sumsOf(parameters: usize, part: i32, tap: i32, panel: i32): usize {
  const unit = (part * tapsOf(parameters) + tap) * panelsOf(parameters) + panel;
  return <usize>word(parameters, SUMS) + <usize>(unit * (word(parameters, DEPTH) << 5));
}
