// Sums, means and largest values on the module against tfjs's cpu backend, which adds in double precision.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { onCpu, onModule, startModule, type Call } from './onModule.ts';

const cases: readonly (readonly [number[], number[]])[] = [
  [[1], [0]],
  [[5], [0]],
  [[200_003], [0]],
  [
    [2, 3, 4, 5],
    [0, 1, 2, 3],
  ],
  [
    [1, 1, 1, 7],
    [0, 1, 2],
  ],
  [
    [2, 3, 4, 1],
    [0, 1, 2],
  ],
  [
    [3, 11, 13, 3],
    [0, 1, 2],
  ],
  [
    [2, 57, 50, 17],
    [0, 1, 2],
  ],
  [
    [4, 30, 30, 96],
    [0, 1, 2],
  ],
  [
    [1, 7, 7, 20],
    [1, 2],
  ],
  [
    [16, 7, 7, 65],
    [1, 2],
  ],
  [
    [2, 100, 80, 6],
    [1, 2],
  ],
  [
    [40, 3, 3, 130],
    [2, 1],
  ],
  [[3, 4, 5], [1]],
  [[70, 9], [1]],
  [[3000, 70], [1]],
  [[2, 40_000], [-1]],
  [
    [6, 1, 5, 1, 4],
    [1, 2, 3],
  ],
  [[6, 5], [0]],
];

function calls(kernel: string, name: string): Call[] {
  return cases.flatMap(([shape, axes]) =>
    [false, true].map((keepDims) => ({
      kernel,
      inputs: () => ({ x: tf.add(seeded(shape, 1), kernel === 'Mean' ? 3 : 0.5) }),
      attributes: { [name]: axes, keepDims },
    })),
  );
}

test.each([
  ['Sum', 'axis', 1e-6],
  ['Mean', 'axis', 1e-6],
  ['Max', 'reductionIndices', 0],
])('%s', async (kernel, name, tolerance) => {
  const all = calls(kernel, name);
  const expected = await onCpu(all);
  for (const [i, { shape, data }] of (await onModule(all)).entries()) {
    expect(shape, String(i)).toEqual(expected[i]!.shape);
    expect(relativeDifference(data, expected[i]!.data), String(i)).toBeLessThanOrEqual(tolerance);
  }
});

test('a maximum of NaN is NaN', async () => {
  const inputs = () => ({ x: tf.tensor2d([1, NaN, 3, 4, 5, 6], [3, 2]) });
  const [rows, columns] = await onModule(
    [0, 1].map((axis) => ({ kernel: 'Max', inputs, attributes: { reductionIndices: [axis], keepDims: false } })),
  );
  expect([...rows!.data]).toEqual([5, NaN]);
  expect([...columns!.data]).toEqual([NaN, 4, 6]);
});

describe('tfjs runs', () => {
  test.each([
    ['axes apart from each other', () => tf.ones([2, 3, 4]), [0, 2], [8, 8, 8]],
    ['whole numbers', () => tf.tensor1d([1, 2], 'int32'), [0], [3]],
  ])('%s', async (_, x, axes, expected) => {
    await startModule(1);
    expect([...tf.tidy(() => tf.sum(x(), axes).dataSync())]).toEqual(expected);
  });
});
