// Products of a vector with a matrix: the matrix is read once, row by row. The sums have the order of ./gemmTile.ts.
import { applyFunction } from './applyFunction';
import { clamp, leak } from './gemmTile';
import { loadSome, storeSome } from './lanes';
import { multiplyAdd, real, word } from './parameters';

const VECTOR = 0;
const MATRIX = 1;
const OUT = 2;
/** Address of the initial values of the sums. */
const INITIAL = 3;
const DEPTH = 4;
const COLUMNS = 5;
const TASK_COLUMNS = 6;
const IS_LEAKY = 7;
const LOW = 8;
const HIGH = 9;
const SLOPE = 10;
/** A number of ../functionConstants.ts, or 0. */
const FUNCTION = 11;

/** One task: TASK_COLUMNS columns. The sums are in the place of the results, and eight rows at a time are added. */
export function multiplyVector(parameters: usize, task: i32): void {
  const first = task * word(parameters, TASK_COLUMNS);
  const start = (<usize>first) << 2;
  const bytes = (<usize>min(word(parameters, TASK_COLUMNS), word(parameters, COLUMNS) - first)) << 2;
  const line = (<usize>word(parameters, COLUMNS)) << 2;
  const out = <usize>word(parameters, OUT) + start;
  memory.copy(out, <usize>word(parameters, INITIAL) + start, bytes);
  let row = <usize>word(parameters, MATRIX) + start;
  let at = <usize>word(parameters, VECTOR);
  const end = at + ((<usize>word(parameters, DEPTH)) << 2);
  for (; at + 32 <= end; at += 32) {
    addEightRows(at, row, line, out, bytes);
    row += line << 3;
  }
  for (; at < end; at += 4) {
    addRow(v128.load32_splat(at), row, out, bytes);
    row += line;
  }
  finish(parameters, out, bytes);
}

function addEightRows(at: usize, row: usize, line: usize, out: usize, bytes: usize): void {
  const v0 = v128.load32_splat(at);
  const v1 = v128.load32_splat(at, 4);
  const v2 = v128.load32_splat(at, 8);
  const v3 = v128.load32_splat(at, 12);
  const v4 = v128.load32_splat(at, 16);
  const v5 = v128.load32_splat(at, 20);
  const v6 = v128.load32_splat(at, 24);
  const v7 = v128.load32_splat(at, 28);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    let from = row + i;
    let sum = multiplyAdd(v0, v128.load(from), v128.load(out + i));
    from += line;
    sum = multiplyAdd(v1, v128.load(from), sum);
    from += line;
    sum = multiplyAdd(v2, v128.load(from), sum);
    from += line;
    sum = multiplyAdd(v3, v128.load(from), sum);
    from += line;
    sum = multiplyAdd(v4, v128.load(from), sum);
    from += line;
    sum = multiplyAdd(v5, v128.load(from), sum);
    from += line;
    sum = multiplyAdd(v6, v128.load(from), sum);
    from += line;
    v128.store(out + i, multiplyAdd(v7, v128.load(from), sum));
  }
  if (i == bytes) return;
  for (let k: usize = 0; k < 8; k++) addRow(v128.load32_splat(at + (k << 2)), row + k * line + i, out + i, bytes - i);
}

function addRow(factor: v128, row: usize, out: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(out + i, multiplyAdd(factor, v128.load(row + i), v128.load(out + i)));
  const left = bytes - i;
  if (left > 0) storeSome(out + i, multiplyAdd(factor, loadSome(row + i, left), loadSome(out + i, left)), left);
}

/** Applies the activation. */
function finish(parameters: usize, out: usize, bytes: usize): void {
  const isLeaky = word(parameters, IS_LEAKY) != 0;
  const slope = f32x4.splat(real(parameters, SLOPE));
  const low = f32x4.splat(real(parameters, LOW));
  const high = f32x4.splat(real(parameters, HIGH));
  for (let i: usize = 0; i < bytes; i += 16) {
    const left = bytes - i;
    const sum = left >= 16 ? v128.load(out + i) : loadSome(out + i, left);
    const result = clamp(isLeaky ? leak(sum, slope) : sum, low, high);
    if (left >= 16) v128.store(out + i, result);
    else storeSome(out + i, result, left);
  }
  const number = word(parameters, FUNCTION);
  if (number != 0) applyFunction(parameters, number, out, out, bytes);
}
