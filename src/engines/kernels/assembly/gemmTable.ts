// The addresses that tiles read and write. A matrix product, a convolution and the gradient of a convolution with
// respect to its input differ only in these.
import {
  DEPTH,
  INPUT_HEIGHT,
  INPUT_PICTURE,
  INPUT_PIXEL,
  INPUT_ROW,
  INPUT_WIDTH,
  OUTPUT_HEIGHT,
  OUTPUT_PICTURE,
  OUTPUT_PIXEL,
  OUTPUT_ROW,
  OUTPUT_WIDTH,
  SPAN,
  START_X,
  START_Y,
  STEP_X,
  STEP_Y,
  STRIDE_X,
  STRIDE_Y,
  TAPS_X,
  TAPS_Y,
  ZEROS,
} from './gemmParameters';
import { word } from './parameters';

/**
 * Writes the table of some rows. For each tile it has the addresses of the results, then those of each tap.
 *
 * @param tileRows - Rows of a tile.
 * @param input - Address of the first picture.
 * @param output - Address of the first result.
 * @param edges - Memory for patches that cross an edge.
 */
export function fillTable(
  parameters: usize,
  tileRows: i32,
  input: usize,
  output: usize,
  first: i32,
  rows: i32,
  table: usize,
  edges: usize,
): void {
  const width = word(parameters, OUTPUT_WIDTH);
  const height = word(parameters, OUTPUT_HEIGHT);
  let row = 0;
  while (row < rows) {
    const line = (first + row) / width;
    const x = first + row - line * width;
    const y = line % height;
    const picture = line / height;
    const count = min(width - x, rows - row);
    const from = input + <usize>(picture * word(parameters, INPUT_PICTURE));
    const to = output + <usize>(picture * word(parameters, OUTPUT_PICTURE) + y * word(parameters, OUTPUT_ROW));
    const pixel = word(parameters, OUTPUT_PIXEL);
    fillRun(parameters, tileRows, table, 0, row, count, to + <usize>(x * pixel), pixel);
    edges = fillTaps(parameters, tileRows, table, row, count, from, y, x, edges);
    row += count;
  }
}

/** Size of the table of one tile, in bytes. */
function tileBytes(parameters: usize, tileRows: i32): i32 {
  return (1 + word(parameters, TAPS_Y) * word(parameters, TAPS_X)) * tileRows * 4;
}

/** Where the table has the address of a row's results. */
export function rowAt(parameters: usize, tileRows: i32, table: usize, row: i32): usize {
  return slot(parameters, tileRows, table, 0, row);
}

/** Where the table has an address of a row. */
function slot(parameters: usize, tileRows: i32, table: usize, entry: i32, row: i32): usize {
  const tile = row / tileRows;
  return table + <usize>(tile * tileBytes(parameters, tileRows) + (entry * tileRows + row - tile * tileRows) * 4);
}

/** Writes equidistant addresses for consecutive rows. */
export function fillRun(
  parameters: usize,
  tileRows: i32,
  table: usize,
  entry: i32,
  row: i32,
  count: i32,
  from: usize,
  step: i32,
): void {
  let address = from;
  const skip = <usize>(tileBytes(parameters, tileRows) - tileRows * 4);
  let at = slot(parameters, tileRows, table, entry, row);
  let left = tileRows - (row % tileRows);
  for (let i = 0; i < count; i++) {
    store<u32>(at, <u32>address);
    address += <usize>step;
    at += 4;
    if (--left == 0) {
      at += skip;
      left = tileRows;
    }
  }
}

/** Writes the taps of rows that are adjacent in one line of a picture. Returns the remaining memory for edges. */
function fillTaps(
  parameters: usize,
  tileRows: i32,
  table: usize,
  row: i32,
  count: i32,
  picture: usize,
  y: i32,
  x: i32,
  edges: usize,
): usize {
  const tapsY = word(parameters, TAPS_Y);
  const tapsX = word(parameters, TAPS_X);
  let entry = 1;
  for (let i = 0; i < tapsY; i++) {
    const lineY = y * word(parameters, STRIDE_Y) + word(parameters, START_Y) + i * word(parameters, STEP_Y);
    const isInside = <u32>lineY < <u32>word(parameters, INPUT_HEIGHT);
    const line = picture + <usize>(lineY * word(parameters, INPUT_ROW));
    for (let j = 0; j < tapsX; j++) {
      const column = x * word(parameters, STRIDE_X) + word(parameters, START_X) + j * word(parameters, STEP_X);
      if (isInside) edges = fillLine(parameters, tileRows, table, entry, row, count, line, column, edges);
      else fillRun(parameters, tileRows, table, entry, row, count, word(parameters, ZEROS), 0);
      entry++;
    }
  }
  return edges;
}

/**
 * Writes one tap, for rows before the picture and across its left edge, inside it, across its right edge and after it.
 */
function fillLine(
  parameters: usize,
  tileRows: i32,
  table: usize,
  entry: i32,
  row: i32,
  count: i32,
  line: usize,
  column: i32,
  edges: usize,
): usize {
  const stride = word(parameters, STRIDE_X);
  const pixel = word(parameters, INPUT_PIXEL);
  const last = word(parameters, INPUT_WIDTH) - word(parameters, SPAN);
  // Rows from `before` to `after` read only inside the picture.
  const before = min(count, column < 0 ? (stride - 1 - column) / stride : 0);
  const after = last < column ? before : max(before, min(count, (last - column) / stride + 1));
  for (let i = 0; i < before; i++)
    edges = fillEdge(parameters, slot(parameters, tileRows, table, entry, row + i), line, column + i * stride, edges);
  const from = line + <usize>((column + before * stride) * pixel);
  fillRun(parameters, tileRows, table, entry, row + before, after - before, from, stride * pixel);
  for (let i = after; i < count; i++)
    edges = fillEdge(parameters, slot(parameters, tileRows, table, entry, row + i), line, column + i * stride, edges);
  return edges;
}

/** Copies a patch that is partly or wholly outside the picture, with zeros around it. */
function fillEdge(parameters: usize, at: usize, line: usize, column: i32, edges: usize): usize {
  const span = word(parameters, SPAN);
  const start = max(0, -column);
  const end = min(span, word(parameters, INPUT_WIDTH) - column);
  if (start >= end) {
    store<u32>(at, word(parameters, ZEROS));
    return edges;
  }
  const pixel = word(parameters, INPUT_PIXEL);
  const bytes = (<usize>word(parameters, DEPTH)) << 2;
  memory.fill(edges, 0, bytes);
  memory.copy(edges + <usize>(start * pixel), line + <usize>((column + start) * pixel), <usize>((end - start) * pixel));
  store<u32>(at, <u32>edges);
  return edges + bytes;
}

/** Repeats the last row of a tile that is not full: it is computed several times. */
export function repeatLast(parameters: usize, tileRows: i32, table: usize, rows: i32): void {
  const entries = 1 + word(parameters, TAPS_Y) * word(parameters, TAPS_X);
  for (let row = rows; row % tileRows != 0; row++) {
    for (let entry = 0; entry < entries; entry++) {
      store<u32>(
        slot(parameters, tileRows, table, entry, row),
        load<u32>(slot(parameters, tileRows, table, entry, rows - 1)),
      );
    }
  }
}
