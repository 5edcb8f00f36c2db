// Gradients of activations that need the input of the activation, and the sums of these gradients over all rows.
import {
  EXPONENT_BIAS,
  EXPONENTIAL,
  LEAST,
  LN2_HIGH,
  LN2_LOW,
  MINUS_LOG2_E,
  MOST,
  ONE,
  ROUNDING,
} from './functionConstants';
import {
  Backward,
  Gelu,
  GeluTanh,
  HardSigmoid,
  HardSigmoidRelu6,
  HardSilu,
  Sigmoid,
  Silu,
  argumentOf,
  exponential,
  isHard,
  slopeOf,
} from './functions';
import { loadSome, storeSome } from './lanes';
import { word } from './parameters';

const DY = 0;
const X = 1;
const DX = 2;
const SUMS = 3;
const ROWS = 4;
const CHANNELS = 5;
const TASK_ROWS = 6;
/** A number of ../functionConstants.ts. */
const FUNCTION = 7;

/**
 * One task: TASK_ROWS rows of `dy` [rows, channels] times the derivatives of `x`; the sums of the results become row
 * `task` of SUMS.
 */
export function functionGradient(parameters: usize, task: i32): void {
  switch (word(parameters, FUNCTION)) {
    case 1:
      passRows<Sigmoid>(parameters, task);
      break;
    case 2:
      passRows<Silu>(parameters, task);
      break;
    case 3:
      passRows<HardSigmoid>(parameters, task);
      break;
    case 4:
      passRows<HardSigmoidRelu6>(parameters, task);
      break;
    case 5:
      passRows<HardSilu>(parameters, task);
      break;
    case 6:
      passRows<Gelu>(parameters, task);
      break;
    case 7:
      passRows<GeluTanh>(parameters, task);
      break;
    default:
      unreachable();
  }
}

function passRows<F>(parameters: usize, task: i32): void {
  const one = v128.load32_splat(parameters, ONE);
  const least = v128.load32_splat(parameters, LEAST);
  const most = v128.load32_splat(parameters, MOST);
  const log2 = v128.load32_splat(parameters, MINUS_LOG2_E);
  const rounding = v128.load32_splat(parameters, ROUNDING);
  const high = v128.load32_splat(parameters, LN2_HIGH);
  const low = v128.load32_splat(parameters, LN2_LOW);
  const bias = v128.load32_splat(parameters, EXPONENT_BIAS);
  const c6 = v128.load32_splat(parameters, EXPONENTIAL);
  const c5 = v128.load32_splat(parameters, EXPONENTIAL + 4);
  const c4 = v128.load32_splat(parameters, EXPONENTIAL + 8);
  const c3 = v128.load32_splat(parameters, EXPONENTIAL + 12);
  const c2 = v128.load32_splat(parameters, EXPONENTIAL + 16);
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const rows = min(word(parameters, TASK_ROWS), word(parameters, ROWS) - first);
  const start = <usize>first * bytes;
  let x = <usize>word(parameters, X) + start;
  let dy = <usize>word(parameters, DY) + start;
  let dx = <usize>word(parameters, DX) + start;
  const sums = <usize>word(parameters, SUMS) + <usize>task * bytes;
  memory.fill(sums, 0, bytes);
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const left = bytes - at;
      const value = left >= 16 ? v128.load(x + at) : loadSome(x + at, left);
      let power = one;
      if (!isHard<F>()) {
        const argument = argumentOf<F, Backward>(value, parameters);
        // prettier-ignore
        power = exponential<F, Backward>(argument, least, most, log2, rounding, high, low, bias, one, c2, c3, c4, c5, c6);
      }
      const slope = slopeOf<F>(value, power, one, parameters);
      if (left >= 16) {
        const result = f32x4.mul(v128.load(dy + at), slope);
        v128.store(dx + at, result);
        v128.store(sums + at, f32x4.add(v128.load(sums + at), result));
      } else {
        const result = f32x4.mul(loadSome(dy + at, left), slope);
        storeSome(dx + at, result, left);
        storeSome(sums + at, f32x4.add(loadSome(sums + at, left), result), left);
      }
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}
