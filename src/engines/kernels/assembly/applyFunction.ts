// Applies an activation to rows of values.
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
  Forward,
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
  valueOf,
} from './functions';
import { loadSome, storeSome } from './lanes';

/**
 * Applies a function, by its number in ../functionConstants.ts, to `bytes` of values. `out` may be `x`.
 *
 * @param parameters - Of the kernel: the constants are after them.
 */
export function applyFunction(parameters: usize, number: i32, x: usize, out: usize, bytes: usize): void {
  switch (number) {
    case 1:
      applyTo<Sigmoid>(parameters, x, out, bytes);
      break;
    case 2:
      applyTo<Silu>(parameters, x, out, bytes);
      break;
    case 3:
      applyTo<HardSigmoid>(parameters, x, out, bytes);
      break;
    case 4:
      applyTo<HardSigmoidRelu6>(parameters, x, out, bytes);
      break;
    case 5:
      applyTo<HardSilu>(parameters, x, out, bytes);
      break;
    case 6:
      applyTo<Gelu>(parameters, x, out, bytes);
      break;
    case 7:
      applyTo<GeluTanh>(parameters, x, out, bytes);
      break;
    default:
      unreachable();
  }
}

function applyTo<F>(parameters: usize, x: usize, out: usize, bytes: usize): void {
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
  const end = x + bytes;
  for (; x < end; x += 16) {
    const left = end - x;
    const value = left >= 16 ? v128.load(x) : loadSome(x, left);
    let power = one;
    if (!isHard<F>()) {
      const argument = argumentOf<F, Forward>(value, parameters);
      // prettier-ignore
      power = exponential<F, Forward>(argument, least, most, log2, rounding, high, low, bias, one, c2, c3, c4, c5, c6);
    }
    const result = valueOf<F>(value, power, one, parameters);
    if (left >= 16) v128.store(out, result);
    else storeSome(out, result, left);
    out += 16;
  }
}
