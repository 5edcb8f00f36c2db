// The last step of gradients with respect to filters: adds the sums of all parts of the rows, in order.
import { panelsOf, PARTS, RESULT, SUM_PANELS, sumsOf, tapsOf } from './convFilterParameters';
import { COLUMNS, DEPTH } from './gemmParameters';
import { storeColumns } from './gemmTile';
import { word } from './parameters';

/** One task: adds the parts of some panels of any taps, and writes the result. */
export function filterGradientSum(parameters: usize, task: i32): void {
  const panels = panelsOf(parameters);
  const first = task * word(parameters, SUM_PANELS);
  const last = min(tapsOf(parameters) * panels, first + word(parameters, SUM_PANELS));
  for (let unit = first; unit < last; unit++) sumPanel(parameters, unit / panels, unit % panels);
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
