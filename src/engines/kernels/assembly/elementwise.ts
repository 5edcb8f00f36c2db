// Combines two arrays value by value; the second one is repeated if it is shorter.
import { Add, Divide, DivideInto, Multiply, Second, Subtract, SubtractFrom, combined } from './operations';
import { word } from './parameters';

const OPERATION = 0;
const IS_SPLAT = 1;
const A = 2;
const B = 3;
const OUT = 4;
const SIZE = 5;
const LENGTH = 6;
const TASK_ROWS = 7;
const REPEATS = 8;
const STEP = 9;

/**
 * One task: TASK_ROWS rows of LENGTH values of `a`. SIZE is the number of all values, so the last row may be shorter.
 * Row r is combined with the row of `b` at B + r / REPEATS · STEP bytes; if IS_SPLAT, with the single value there.
 */
export function combine(parameters: usize, task: i32): void {
  switch (word(parameters, OPERATION)) {
    case 0:
      combineRows<Add>(parameters, task);
      break;
    case 1:
      combineRows<Multiply>(parameters, task);
      break;
    case 2:
      combineRows<Subtract>(parameters, task);
      break;
    case 3:
      combineRows<SubtractFrom>(parameters, task);
      break;
    case 4:
      combineRows<Divide>(parameters, task);
      break;
    case 5:
      combineRows<DivideInto>(parameters, task);
      break;
    default:
      combineRows<Second>(parameters, task);
  }
}

function combineRows<Operation>(parameters: usize, task: i32): void {
  const a = <usize>word(parameters, A);
  const b = <usize>word(parameters, B);
  const out = <usize>word(parameters, OUT);
  const size = word(parameters, SIZE);
  const length = word(parameters, LENGTH);
  const repeats = word(parameters, REPEATS);
  const step = word(parameters, STEP);
  const isSplat = word(parameters, IS_SPLAT) != 0;
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), (size + length - 1) / length);
  for (let row = first; row < last; row++) {
    const at = (<usize>row * length) << 2;
    const count = min(length, size - row * length);
    const second = b + <usize>(row / repeats) * step;
    if (isSplat) combineWithOne<Operation>(a + at, load<f32>(second), out + at, count);
    else combinePairs<Operation>(a + at, second, out + at, count);
  }
}

function combinePairs<Operation>(a: usize, b: usize, out: usize, count: i32): void {
  const end = out + ((<usize>count) << 2);
  for (; out + 16 <= end; out += 16) {
    v128.store(out, combined<Operation>(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
  }
  for (; out < end; out += 4) {
    v128.store_lane<f32>(out, combined<Operation>(v128.load32_zero(a), v128.load32_zero(b)), 0);
    a += 4;
    b += 4;
  }
}

function combineWithOne<Operation>(a: usize, value: f32, out: usize, count: i32): void {
  const b = f32x4.splat(value);
  const end = out + ((<usize>count) << 2);
  for (; out + 16 <= end; out += 16) {
    v128.store(out, combined<Operation>(v128.load(a), b));
    a += 16;
  }
  for (; out < end; out += 4) {
    v128.store_lane<f32>(out, combined<Operation>(v128.load32_zero(a), b), 0);
    a += 4;
  }
}
