// Half-precision numbers (IEEE 754 binary16) in Uint16Arrays. Not every supported JavaScript engine has Float16Array.

/** Largest number that half precision holds. */
export const largestHalf = 65504;

const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);

/**
 * Writes numbers in half precision, rounded to the nearest, ties to even.
 *
 * @param values - Finite, with an absolute value of at most {@link largestHalf}.
 */
export function encodeHalf(values: Float32Array, halves: Uint16Array): void {
  for (let i = 0; i < values.length; i++) {
    value[0] = values[i] ?? 0;
    const all = bits[0] ?? 0;
    const sign = (all >>> 16) & 0x8000;
    const magnitude = all & 0x7fffffff;
    if (magnitude >= 0x38800000) {
      // The exponents of half and single precision differ by 112; 13 bits of the fraction are dropped.
      const odd = (magnitude >>> 13) & 1;
      halves[i] = sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
    } else {
      // Below 2^-14 half-precision numbers are multiples of 2^-24, as are single-precision numbers from 0.5 to 1. So an
      // addition rounds.
      value[0] = Math.abs(values[i] ?? 0) + 0.5;
      halves[i] = sign | ((bits[0] ?? 0) - 0x3f000000);
    }
  }
}

/** Reads numbers in half precision, exactly. The input must not contain infinity or NaN. */
export function decodeHalf(halves: Uint16Array, values: Float32Array): void {
  const raw = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] ?? 0;
    raw[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    values[i] = (values[i] ?? 0) * 2 ** 112;
  }
}
