// Sums and maxima along the middle axis of [outer, middle, inner].
import { Add, Largest, combined } from './operations';
import { real, word } from './parameters';

const OPERATION = 0;
const X = 1;
const OUT = 2;
const INNER = 3;
const MIDDLE = 4;
const BLOCK_ROWS = 5;
const OUTPUTS = 6;
const TASK_OUTPUTS = 7;
const DIVISOR = 8;

/**
 * One task: TASK_OUTPUTS of OUTPUTS rows of INNER values. Each is the sum or maximum of BLOCK_ROWS rows, divided by
 * DIVISOR; the last block of a middle axis has the remaining rows. A second run reduces the blocks of an axis.
 */
export function reduceMiddle(parameters: usize, task: i32): void {
  const count = word(parameters, TASK_OUTPUTS);
  const last = min((task + 1) * count, word(parameters, OUTPUTS));
  for (let output = task * count; output < last; output++) {
    if (word(parameters, OPERATION) == 0) reduceBlock<Add>(parameters, output);
    else reduceBlock<Largest>(parameters, output);
  }
}

function reduceBlock<Operation>(parameters: usize, output: i32): void {
  const inner = word(parameters, INNER);
  const middle = word(parameters, MIDDLE);
  const blockRows = word(parameters, BLOCK_ROWS);
  const blocks = (middle + blockRows - 1) / blockRows;
  const outer = output / blocks;
  const first = (output - outer * blocks) * blockRows;
  const rows = min(blockRows, middle - first);
  const bytes = (<usize>inner) << 2;
  const x = <usize>word(parameters, X) + <usize>(outer * middle + first) * bytes;
  const out = <usize>word(parameters, OUT) + <usize>output * bytes;
  if (inner == 1) store<f32>(out, reduceRow<Operation>(x, rows));
  else reduceRows<Operation>(x, out, bytes, rows);
  const divisor = real(parameters, DIVISOR);
  if (divisor != 1) divideRow(out, bytes, divisor);
}

/** Four rows are reduced first, which needs fewer accesses to the output, and rounds less. */
function reduceRows<Operation>(x: usize, out: usize, bytes: usize, rows: i32): void {
  memory.copy(out, x, bytes);
  x += bytes;
  let left = rows - 1;
  for (; left >= 4; left -= 4) {
    joinRows<Operation>(x, bytes, out);
    x += bytes << 2;
  }
  for (; left > 0; left--) {
    joinRow<Operation>(x, bytes, out);
    x += bytes;
  }
}

function joinRows<Operation>(x: usize, bytes: usize, out: usize): void {
  const end = out + bytes;
  for (; out + 16 <= end; out += 16) {
    const a = combined<Operation>(v128.load(x), v128.load(x + bytes));
    const b = combined<Operation>(v128.load(x + 2 * bytes), v128.load(x + 3 * bytes));
    v128.store(out, combined<Operation>(v128.load(out), combined<Operation>(a, b)));
    x += 16;
  }
  for (; out < end; out += 4) {
    const a = combined<Operation>(v128.load32_zero(x), v128.load32_zero(x + bytes));
    const b = combined<Operation>(v128.load32_zero(x + 2 * bytes), v128.load32_zero(x + 3 * bytes));
    v128.store_lane<f32>(out, combined<Operation>(v128.load32_zero(out), combined<Operation>(a, b)), 0);
    x += 4;
  }
}

function joinRow<Operation>(x: usize, bytes: usize, out: usize): void {
  const end = out + bytes;
  for (; out + 16 <= end; out += 16) {
    v128.store(out, combined<Operation>(v128.load(out), v128.load(x)));
    x += 16;
  }
  for (; out < end; out += 4) {
    v128.store_lane<f32>(out, combined<Operation>(v128.load32_zero(out), v128.load32_zero(x)), 0);
    x += 4;
  }
}

/** Reduces a row to one value. */
function reduceRow<Operation>(x: usize, count: i32): f32 {
  const end = x + ((<usize>count) << 2);
  let result = load<f32>(x);
  x += 4;
  if (x + 64 <= end) {
    let a = v128.load(x);
    let b = v128.load(x + 16);
    let c = v128.load(x + 32);
    let d = v128.load(x + 48);
    for (x += 64; x + 64 <= end; x += 64) {
      a = combined<Operation>(a, v128.load(x));
      b = combined<Operation>(b, v128.load(x + 16));
      c = combined<Operation>(c, v128.load(x + 32));
      d = combined<Operation>(d, v128.load(x + 48));
    }
    const sum = combined<Operation>(combined<Operation>(a, b), combined<Operation>(c, d));
    const pairs = combined<Operation>(
      sum,
      i8x16.shuffle(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),
    );
    const swapped = i8x16.shuffle(pairs, pairs, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    const total = combined<Operation>(pairs, swapped);
    result = f32x4.extract_lane(combined<Operation>(f32x4.splat(result), total), 0);
  }
  for (; x < end; x += 4) {
    result = f32x4.extract_lane(combined<Operation>(f32x4.splat(result), f32x4.splat(load<f32>(x))), 0);
  }
  return result;
}

function divideRow(out: usize, bytes: usize, divisor: f32): void {
  const end = out + bytes;
  for (; out < end; out += 4) store<f32>(out, load<f32>(out) / divisor);
}
