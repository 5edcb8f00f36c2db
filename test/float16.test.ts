// Half precision: every half, every tie between two of them, and both sides of each tie.
import { expect, test } from 'vitest';
import { decodeHalf, encodeHalf, largestHalf } from '../src/core/float16.ts';

/** All finite halves of one sign, in ascending order of magnitude. */
const halves = Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits);

/** The value of a half by the definition of the format. */
function valueOf(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** The next single towards infinity (1) or zero (-1). */
function neighbour(value: number, step: 1 | -1): number {
  const single = Float32Array.of(value);
  const bits = new Uint32Array(single.buffer);
  bits[0]! += step;
  return single[0]!;
}

function encoded(values: Float32Array): Uint16Array {
  const found = new Uint16Array(values.length);
  encodeHalf(values, found);
  return found;
}

test('every half is decoded by the format, and encoded to the same bits', () => {
  for (const sign of [0, 0x8000]) {
    const signed = halves.map((bits) => bits | sign);
    const values = new Float32Array(signed.length);
    decodeHalf(signed, values);
    expect(values).toEqual(Float32Array.from(signed, valueOf));
    expect(encoded(values)).toEqual(signed);
  }
  expect(valueOf(halves.at(-1)!)).toBe(largestHalf);
});

test('values between two halves are rounded to the nearest, ties to even', () => {
  const below = halves.slice(0, -1);
  const ties = Float32Array.from(below, (bits) => (valueOf(bits) + valueOf(bits + 1)) / 2);
  expect(encoded(ties)).toEqual(below.map((bits) => (bits % 2 === 0 ? bits : bits + 1)));
  expect(encoded(ties.map((tie) => neighbour(tie, -1)))).toEqual(below);
  expect(encoded(ties.map((tie) => neighbour(tie, 1)))).toEqual(below.map((bits) => bits + 1));
  expect(encoded(ties.map((tie) => -neighbour(tie, 1)))).toEqual(below.map((bits) => 0x8000 | (bits + 1)));
});

test('values that are too small become a zero of the same sign', () => {
  expect(encoded(Float32Array.of(0, -0, 1e-30, -1e-30, 1e-45))).toEqual(Uint16Array.of(0, 0x8000, 0, 0x8000, 0));
});
