// Activations of the module beside clips: their numbers, and constants that assembly/functions.ts computes with.
import { real } from './real.ts';

/** Numbers as in assembly/applyFunction.ts. Names as in networks/run/layerActivation.ts. */
export const functionNumbers = {
  sigmoid: 1,
  silu: 2,
  hard_sigmoid: 3,
  hard_sigmoid_relu6: 4,
  hard_silu: 5,
  gelu: 6,
  gelu_tanh: 7,
} as const;

/** Name of such an activation. */
export type FunctionName = keyof typeof functionNumbers;

/** Whether the module has an activation of this name, apart from clips. */
export function isFunctionName(name: unknown): name is FunctionName {
  return typeof name === 'string' && Object.hasOwn(functionNumbers, name);
}

/** Bits of the exponent of 1. */
const exponentBias = 127 << 23;

/**
 * Powers exp(-x) = 2^n · exp(-s) with s = x + n · ln 2 between -0.35 and 0.35 are computed for x from -128 ln 2, where
 * they are infinite in single precision, to 126 ln 2, where they are the smallest normal number.
 */
const bounds = [-128 * Math.LN2, 126 * Math.LN2];

/** Ln 2 in two parts: the product of the first with a small integer is exact. */
const ln2 = [0.693359375, -2.1219444e-4];

/**
 * exp(-s) = 1 - s + s² · P(s): a minimax fit of the relative error for s from -0.347 to 0.347, which is 3e-9 in exact
 * arithmetic. The highest power is first.
 */
const exponential = [
  0.0013814439331607115, -0.008368798379193436, 0.04166839583480242, -0.16666519959545553, 0.49999993402806703,
];

/**
 * Φ(-a) = exp(-a² / 2) · t · P(t) with t = 1 / (1 + 0.35 a): a minimax fit of the relative error for a from 0 to 14,
 * which is 3.2e-8 in exact arithmetic. The highest power is first.
 */
const tail = [
  -0.029145646810462722, 0.14397045686128251, -0.25571197105800536, 0.15917186488563662, -0.02310846334357919,
  0.10550750798043207, 0.11983297296543333, 0.13986185775232515, 0.13962140484460417,
];

const tanhFactor = 2 * Math.sqrt(2 / Math.PI);

/** Words of the constants, in the order of assembly/functionConstants.ts. */
export const functionConstants: readonly number[] = [
  ...[1, ...bounds, -Math.LOG2E, 1.5 * 2 ** 23, ...ln2].map(real),
  exponentBias,
  ...[...exponential, 1 / 2, ...tail, 0.35, 1 / Math.sqrt(2 * Math.PI), tanhFactor * 0.044715, tanhFactor].map(real),
  ...[3, 6, 1 / 6, 1 / 5, 2 ** 126].map(real),
];
