// Products: rows of patches times a packed matrix.
import {
  BLOCK_ROWS,
  COLUMNS,
  FUNCTION,
  GATHER,
  GROUP_INPUT,
  GROUP_OUTPUT,
  GROUP_PANELS,
  INPUT,
  OUTPUT,
  PANEL_BYTES,
  PANELS,
  ROWS,
  SCRATCH,
  SCRATCH_BYTES,
  TABLE_BYTES,
  TASK_PANELS,
  TASK_ROWS,
} from './gemmParameters';
import { applyFunction } from './applyFunction';
import { gatherRows } from './gemmGather';
import { fillTable, repeatLast, rowAt } from './gemmTable';
import { TILE_ROWS, multiplyTiles } from './gemmTile';
import { word } from './parameters';

/** One task: some rows times some panels, of one group. Parameters: gemmParameters.ts. */
export function patchProduct(parameters: usize, task: i32, thread: i32): void {
  const rows = word(parameters, ROWS);
  const taskRows = word(parameters, TASK_ROWS);
  const rowTasks = (rows + taskRows - 1) / taskRows;
  const panels = (word(parameters, COLUMNS) + 7) >> 3;
  const taskPanels = word(parameters, TASK_PANELS);
  const panelTasks = (panels + taskPanels - 1) / taskPanels;
  const group = task / (rowTasks * panelTasks);
  const inGroup = task - group * rowTasks * panelTasks;
  const start = (inGroup % rowTasks) * taskRows;
  const panel = (inGroup / rowTasks) * taskPanels;
  const end = min(rows, start + taskRows);
  const block = word(parameters, BLOCK_ROWS);
  for (let row = start; row < end; row += block) {
    multiplyBlock(parameters, group, row, min(block, end - row), panel, min(panels, panel + taskPanels), thread);
  }
}

/** Multiplies the rows of one block, whose values stay in the cache, by some panels. */
function multiplyBlock(
  parameters: usize,
  group: i32,
  row: i32,
  rows: i32,
  firstPanel: i32,
  lastPanel: i32,
  thread: i32,
): void {
  const table = <usize>word(parameters, SCRATCH) + <usize>(thread * word(parameters, SCRATCH_BYTES));
  const input = <usize>word(parameters, INPUT) + <usize>(group * word(parameters, GROUP_INPUT));
  const output = <usize>word(parameters, OUTPUT) + <usize>(group * word(parameters, GROUP_OUTPUT));
  const values = table + <usize>word(parameters, TABLE_BYTES);
  if (word(parameters, GATHER) != 0) gatherRows(parameters, TILE_ROWS, output, row, rows, table, values);
  else fillTable(parameters, TILE_ROWS, input, output, row, rows, table, values);
  repeatLast(parameters, TILE_ROWS, table, rows);
  const panels = <usize>word(parameters, PANELS) + <usize>(group * word(parameters, GROUP_PANELS));
  const bytes = word(parameters, PANEL_BYTES);
  const tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  for (let panel = firstPanel; panel < lastPanel; panel++) {
    const from = panels + <usize>(panel * bytes);
    multiplyTiles(parameters, table, tiles, from, panel << 3);
  }
  if (word(parameters, FUNCTION) != 0) applyToRows(parameters, table, rows, firstPanel, lastPanel);
}

/** Applies the activation to the results of a block, which are still in the cache. */
function applyToRows(parameters: usize, table: usize, rows: i32, firstPanel: i32, lastPanel: i32): void {
  const number = word(parameters, FUNCTION);
  const first = firstPanel << 3;
  const bytes = (<usize>(min(word(parameters, COLUMNS), lastPanel << 3) - first)) << 2;
  for (let row = 0; row < rows; row++) {
    const out = <usize>load<u32>(rowAt(parameters, TILE_ROWS, table, row)) + ((<usize>first) << 2);
    applyFunction(parameters, number, out, out, bytes);
  }
}
