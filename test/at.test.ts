// An element that must be there is there, or the error asks for a report.
import { expect, test } from 'vitest';
import { at } from '../src/core/at.ts';

test('returns the element', () => {
  expect(at(['a', 'b'], 1)).toBe('b');
  expect(at(Float32Array.of(0, NaN), 1)).toBeNaN();
});

test('a missing element is an internal error', () => {
  const text = 'there is no element 3 of 1. This is a fault of transferkit: please report it';
  expect(() => at([1], 3)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  expect(() => at([1], 3)).toThrow(text);
});
