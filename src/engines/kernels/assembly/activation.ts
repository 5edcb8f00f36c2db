// Functions of one value.
import { applyFunction } from './applyFunction';
import { real, word } from './parameters';

class Clip {}
class Step {}

const OPERATION = 0;
const X = 1;
const OUT = 2;
const SIZE = 3;
const CHUNK = 4;
const LOW = 5;
const HIGH = 6;
/** Added to a function's number in ../functionConstants.ts. */
const FIRST_FUNCTION = 1;

/** One task: CHUNK of SIZE values. LOW and HIGH are the bounds of a clip; a step changes from LOW to HIGH. */
export function activate(parameters: usize, task: i32): void {
  switch (word(parameters, OPERATION)) {
    case 0:
      activateChunk<Clip>(parameters, task);
      break;
    case 1:
      activateChunk<Step>(parameters, task);
      break;
    default:
      applyToChunk(parameters, task);
  }
}

function applyToChunk(parameters: usize, task: i32): void {
  const chunk = word(parameters, CHUNK);
  const start = task * chunk;
  const offset = (<usize>start) << 2;
  const bytes = (<usize>min(chunk, word(parameters, SIZE) - start)) << 2;
  const number = word(parameters, OPERATION) - FIRST_FUNCTION;
  applyFunction(parameters, number, <usize>word(parameters, X) + offset, <usize>word(parameters, OUT) + offset, bytes);
}

function activateChunk<Operation>(parameters: usize, task: i32): void {
  const chunk = word(parameters, CHUNK);
  const start = task * chunk;
  const count = min(chunk, word(parameters, SIZE) - start);
  const low = f32x4.splat(real(parameters, LOW));
  const high = f32x4.splat(real(parameters, HIGH));
  let x = <usize>word(parameters, X) + ((<usize>start) << 2);
  let out = <usize>word(parameters, OUT) + ((<usize>start) << 2);
  const end = out + ((<usize>count) << 2);
  for (; out + 16 <= end; out += 16) {
    v128.store(out, activated<Operation>(v128.load(x), low, high));
    x += 16;
  }
  for (; out < end; out += 4) {
    v128.store_lane<f32>(out, activated<Operation>(v128.load32_zero(x), low, high), 0);
    x += 4;
  }
}

/** Applies the function. NaN stays NaN. */
function activated<Operation>(x: v128, low: v128, high: v128): v128 {
  if (idof<Operation>() == idof<Clip>()) return f32x4.pmin(f32x4.pmax(x, low), high);
  const stepped = v128.bitselect(high, low, f32x4.gt(x, f32x4.splat(0)));
  return v128.bitselect(stepped, x, f32x4.eq(x, x));
}
