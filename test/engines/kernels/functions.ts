// Activations of the module in double precision, and their derivatives.
import type { FunctionName } from '../../../src/engines/kernels/functionConstants.ts';

/** A function and its derivative. */
interface Reference {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const sigmoidSlope = (x: number) => Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2;
const clip = (x: number, most: number) => Math.min(Math.max(x, 0), most);
const isInside = (x: number, most: number) => (x >= 0 && x <= most ? 1 : 0);
const inner = (x: number) => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const innerSlope = (x: number) => 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Φ(x): the series around 0, and the continued fraction of the tail. Abramowitz and Stegun, 26.2.11 and 26.2.14. */
function normal(x: number): number {
  if (x > 0) return 1 - normal(-x);
  if (x < -3) {
    let fraction = 0;
    for (let k = 200; k > 0; k--) fraction = k / (-x + fraction);
    return density(x) / (-x + fraction);
  }
  let [term, sum] = [x, x];
  for (let k = 3; k < 200; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + density(x) * sum;
}

/** By the names of the module. */
export const references: Readonly<Record<FunctionName, Reference>> = {
  sigmoid: { value: sigmoid, slope: sigmoidSlope },
  silu: { value: (x) => x * sigmoid(x), slope: (x) => sigmoid(x) + x * sigmoidSlope(x) },
  hard_sigmoid: { value: (x) => clip(0.2 * x + 0.5, 1), slope: (x) => 0.2 * isInside(0.2 * x + 0.5, 1) },
  hard_sigmoid_relu6: { value: (x) => clip(x + 3, 6) / 6, slope: (x) => isInside(x + 3, 6) / 6 },
  hard_silu: {
    value: (x) => (x * clip(x + 3, 6)) / 6,
    slope: (x) => (clip(x + 3, 6) + x * isInside(x + 3, 6)) / 6,
  },
  gelu: { value: (x) => x * normal(x), slope: (x) => normal(x) + x * density(x) },
  gelu_tanh: {
    value: (x) => x * sigmoid(inner(x)),
    slope: (x) => sigmoid(inner(x)) + x * sigmoidSlope(inner(x)) * innerSlope(x),
  },
};
