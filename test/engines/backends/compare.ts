// Numbers for tests of kernels: seeded tensors, and nearness relative to the largest value.
import { tensor, type Rank, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { randomGenerator } from '../../../src/core/random.ts';

/** Values in -1 … 1. */
export function values(size: number, seed: number): Float32Array {
  const random = randomGenerator(seed);
  return Float32Array.from({ length: size }, () => random() * 2 - 1);
}

/** A tensor of values in -1 … 1. */
export function seeded<R extends Rank>(shape: number[], seed: number): Tensor<R> {
  return tensor<R>(
    values(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape as never,
  );
}

/** The largest difference, as a share of the largest expected value. */
export function relativeDifference(received: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(received.length).toBe(expected.length);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(received[i]! - expected[i]!);
    difference = Number.isNaN(distance) ? NaN : Math.max(difference, distance);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference === 0 ? 0 : difference / largest;
}
