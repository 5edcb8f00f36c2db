// Booleans: one byte each, 0 for false. True is 1, but a tensor that tfjs cast from another type has the last byte of
// each number.
import { word } from './parameters';

class LessEqual {}
class GreaterEqual {}
class Less {}
class Greater {}

const SIZE = 0;
const CHUNK = 1;
const OUT = 2;
const A = 3;
const B = 4;
const FLAGS = 5;
const OPERATION = 6;
const IS_SPLAT = 7;

/** One task: CHUNK of SIZE values are compared with those at B; if IS_SPLAT, with the single value there. */
export function compare(parameters: usize, task: i32): void {
  switch (word(parameters, OPERATION)) {
    case 0:
      compareChunk<LessEqual>(parameters, task);
      break;
    case 1:
      compareChunk<GreaterEqual>(parameters, task);
      break;
    case 2:
      compareChunk<Less>(parameters, task);
      break;
    default:
      compareChunk<Greater>(parameters, task);
  }
}

function compareChunk<Operation>(parameters: usize, task: i32): void {
  const start = task * word(parameters, CHUNK);
  const count = min(word(parameters, CHUNK), word(parameters, SIZE) - start);
  const isSplat = word(parameters, IS_SPLAT) != 0;
  const step: usize = isSplat ? 0 : 4;
  let a = <usize>word(parameters, A) + ((<usize>start) << 2);
  let b = <usize>word(parameters, B) + <usize>start * step;
  let out = <usize>word(parameters, OUT) + <usize>start;
  const end = out + <usize>count;
  const value = v128.load32_splat(b);
  for (; out + 16 <= end; out += 16) {
    const p = compared<Operation>(v128.load(a), isSplat ? value : v128.load(b));
    const q = compared<Operation>(v128.load(a, 16), isSplat ? value : v128.load(b, 16));
    const r = compared<Operation>(v128.load(a, 32), isSplat ? value : v128.load(b, 32));
    const s = compared<Operation>(v128.load(a, 48), isSplat ? value : v128.load(b, 48));
    const narrow = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(p, q), i16x8.narrow_i32x4_s(r, s));
    v128.store(out, v128.and(narrow, i8x16.splat(1)));
    a += 64;
    b += step << 4;
  }
  for (; out < end; out++) {
    const mask = compared<Operation>(v128.load32_zero(a), v128.load32_zero(b));
    store<u8>(out, <u8>(i32x4.extract_lane(mask, 0) & 1));
    a += 4;
    b += step;
  }
}

function compared<Operation>(a: v128, b: v128): v128 {
  if (idof<Operation>() == idof<LessEqual>()) return f32x4.le(a, b);
  if (idof<Operation>() == idof<GreaterEqual>()) return f32x4.ge(a, b);
  if (idof<Operation>() == idof<Less>()) return f32x4.lt(a, b);
  return f32x4.gt(a, b);
}

/** One task: CHUNK of SIZE booleans, each true if those at A and at B are true. */
export function bothTrue(parameters: usize, task: i32): void {
  const start = task * word(parameters, CHUNK);
  const count = min(word(parameters, CHUNK), word(parameters, SIZE) - start);
  let a = <usize>word(parameters, A) + <usize>start;
  let b = <usize>word(parameters, B) + <usize>start;
  let out = <usize>word(parameters, OUT) + <usize>start;
  const end = out + <usize>count;
  const zeros = i8x16.splat(0);
  for (; out + 16 <= end; out += 16) {
    const isTrue = v128.and(i8x16.ne(v128.load(a), zeros), i8x16.ne(v128.load(b), zeros));
    v128.store(out, v128.and(isTrue, i8x16.splat(1)));
    a += 16;
    b += 16;
  }
  for (; out < end; out++) {
    store<u8>(out, <u8>(load<u8>(a) != 0 && load<u8>(b) != 0));
    a++;
    b++;
  }
}

/** One task: CHUNK of SIZE values, each from A if the boolean at FLAGS is true, else from B. */
export function choose(parameters: usize, task: i32): void {
  const start = task * word(parameters, CHUNK);
  const count = min(word(parameters, CHUNK), word(parameters, SIZE) - start);
  let flags = <usize>word(parameters, FLAGS) + <usize>start;
  let a = <usize>word(parameters, A) + ((<usize>start) << 2);
  let b = <usize>word(parameters, B) + ((<usize>start) << 2);
  let out = <usize>word(parameters, OUT) + ((<usize>start) << 2);
  const end = out + ((<usize>count) << 2);
  for (; out + 16 <= end; out += 16) {
    const isA = i32x4.ne(fourFlags(flags), i32x4.splat(0));
    v128.store(out, v128.bitselect(v128.load(a), v128.load(b), isA));
    flags += 4;
    a += 16;
    b += 16;
  }
  for (; out < end; out += 4) {
    store<f32>(out, load<u8>(flags) != 0 ? load<f32>(a) : load<f32>(b));
    flags++;
    a += 4;
    b += 4;
  }
}

/** One task: converts CHUNK of SIZE booleans to numbers. */
export function numbersOfFlags(parameters: usize, task: i32): void {
  const start = task * word(parameters, CHUNK);
  const count = min(word(parameters, CHUNK), word(parameters, SIZE) - start);
  let flags = <usize>word(parameters, FLAGS) + <usize>start;
  let out = <usize>word(parameters, OUT) + ((<usize>start) << 2);
  const end = out + ((<usize>count) << 2);
  for (; out + 16 <= end; out += 16) {
    v128.store(out, v128.and(i32x4.ne(fourFlags(flags), i32x4.splat(0)), f32x4.splat(1)));
    flags += 4;
  }
  for (; out < end; out += 4) {
    store<f32>(out, load<u8>(flags) != 0 ? 1 : 0);
    flags++;
  }
}

function fourFlags(flags: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(flags)));
}
