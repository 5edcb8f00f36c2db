// Constants of exp in single precision, used by assembly/sigmoid.ts.
import { real } from './kernelModule.ts';

/** Smallest normal number: below its logarithm results are denormal. */
const smallest = 2 ** -126;

/**
 * exp(x) = 2^n · exp(r) with r = x - n · ln 2 between -0.35 and 0.35, and exp(r) = 1 + r + r² · P(r). The polynomial
 * and the two parts of ln 2 are those of expf in Stephen L. Moshier's Cephes library. The error is below 2 units in the
 * last place.
 */
export const exponential: readonly number[] = [
  real(1),
  real(-0),
  real(Math.log(smallest)),
  real(Math.LOG2E),
  real(1.5 * 2 ** 23),
  real(-0.693359375),
  real(2.1219444e-4),
  127 << 23,
  ...[1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(real),
];
