// The gradient of a convolution with respect to its filter: for each tap, the transposed pixels that it read, times the
// gradient of the output. The rows are divided into parts, each with its own sums.
import { copyChannels, copyList, LINE_CHANNELS, packColumns } from './convFilterCopies';
import { COPIES, PACKED, panelsOf, sumsOf, tapsOf, TASK_TAPS } from './convFilterParameters';
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
  TASK_PANELS,
  TASK_ROWS,
} from './gemmParameters';
import { fillTable } from './gemmTable';
import { word } from './parameters';

/** One task: the rows of one part, for some taps and some panels of columns. */
export function filterGradient(parameters: usize, task: i32, thread: i32): void {
  const taskTaps = word(parameters, TASK_TAPS);
  const tapTasks = (tapsOf(parameters) + taskTaps - 1) / taskTaps;
  const taskPanels = word(parameters, TASK_PANELS);
  const panelTasks = (panelsOf(parameters) + taskPanels - 1) / taskPanels;
  const part = task / (tapTasks * panelTasks);
  const inPart = task % (tapTasks * panelTasks);
  const tap = (inPart / panelTasks) * taskTaps;
  const lastTap = min(tapsOf(parameters), tap + taskTaps);
  const panel = (inPart % panelTasks) * taskPanels;
  const panels = min(taskPanels, panelsOf(parameters) - panel);
  const bytes = <usize>(panels * (word(parameters, DEPTH) << 5));
  for (let t = tap; t < lastTap; t++) memory.fill(sumsOf(parameters, part, t, panel), 0, bytes);
  const start = part * word(parameters, TASK_ROWS);
  const end = min(word(parameters, ROWS), start + word(parameters, TASK_ROWS));
  const block = word(parameters, BLOCK_ROWS);
  for (let row = start; row < end; row += block) {
    addBlock(parameters, part, row, min(block, end - row), tap, lastTap, panel, panels, thread);
  }
}

/** Adds the products of a block of rows, whose values stay in the cache. */
function addBlock(
  parameters: usize,
  part: i32,
  row: i32,
  rows: i32,
  firstTap: i32,
  lastTap: i32,
  panel: i32,
  panels: i32,
  thread: i32,
): void {
  const scratch = <usize>word(parameters, SCRATCH) + <usize>(thread * word(parameters, SCRATCH_BYTES));
  const slope = <usize>word(parameters, OUTPUT);
  const block = word(parameters, BLOCK_ROWS);
  const edges = scratch + <usize>word(parameters, TABLE_BYTES);
  fillTable(parameters, block, <usize>word(parameters, INPUT), slope, row, rows, scratch, edges);
  const pixelBytes = word(parameters, OUTPUT_PIXEL);
  let right = slope + <usize>(row * pixelBytes + (panel << 5));
  let line = pixelBytes;
  let panelBytes = 32;
  if (word(parameters, PACKED)) {
    const packed = scratch + <usize>word(parameters, PACKED);
    const columns = min(panels << 3, word(parameters, COLUMNS) - (panel << 3));
    packColumns(right, <usize>pixelBytes, rows, columns, packed);
    right = packed;
    line = 32;
    panelBytes = rows << 5;
  }
  for (let tap = firstTap; tap < lastTap; tap++) {
    const pixels = scratch + <usize>((tap + 1) * block * 4);
    addTap(parameters, pixels, rows, right, line, panelBytes, panels, sumsOf(parameters, part, tap, panel), scratch);
  }
}

/**
 * Adds one tap, in groups of channels that share a cache line. If the pixels are so far apart that their lines evict
 * each other from the cache, they are copied first.
 */
function addTap(
  parameters: usize,
  pixels: usize,
  rows: i32,
  right: usize,
  line: i32,
  panelBytes: i32,
  panels: i32,
  sums: usize,
  scratch: usize,
): void {
  const depth = word(parameters, DEPTH);
  const block = word(parameters, BLOCK_ROWS);
  const copies = scratch + <usize>word(parameters, COPIES);
  for (let first = 0; first < depth; first += LINE_CHANNELS) {
    const channels = min(LINE_CHANNELS, depth - first);
    let from = pixels;
    let offset = <usize>(first << 2);
    if (word(parameters, COPIES)) {
      copyChannels(pixels, rows, offset, block, copies);
      from = copyList(copies, block);
      offset = 0;
    }
    for (let panel = 0; panel < panels; panel++) {
      const to = sums + <usize>((panel * depth + first) << 5);
      addChannels(from, rows, offset, channels, right + <usize>(panel * panelBytes), <usize>line, to);
    }
  }
}

function addChannels(
  pixels: usize,
  rows: i32,
  offset: usize,
  channels: i32,
  right: usize,
  line: usize,
  sums: usize,
): void {
  const end = pixels + ((<usize>rows) << 2);
  let i: usize = 0;
  const count = <usize>channels;
  for (; i + 4 <= count; i += 4) gradientTile(pixels, end, offset + (i << 2), right, line, sums + (i << 5));
  for (; i < count; i++) gradientLine(pixels, end, offset + (i << 2), right, line, sums + (i << 5));
}
