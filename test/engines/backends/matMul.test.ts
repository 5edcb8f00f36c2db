// Matrix products and sums of segments on wasm against tfjs's cpu backend, and without a tensor left behind.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend } from '../../../src/useBackend.ts';
import { relativeDifference, seeded } from './compare.ts';

beforeAll(async () => {
  tf.env().set('PROD', true); // The cpu backend's greeting.
  await useBackend('wasm');
});

/** Runs on cpu, then on wasm, and holds shapes, values and counts of tensors against each other. */
async function expectSame(run: () => tf.Tensor[]): Promise<void> {
  await tf.setBackend('cpu');
  const expected = tf.tidy(() => run().map((tensor) => ({ shape: tensor.shape, data: tensor.dataSync() })));
  await tf.setBackend('wasm');
  tf.tidy(() => {
    run();
  });
  const before = { ...tf.memory(), onBackend: tf.backend().numDataIds() };
  const tensors = tf.tidy(run);
  for (const [i, { shape, data }] of expected.entries()) {
    expect(tensors[i]!.shape).toEqual(shape);
    expect(relativeDifference(tensors[i]!.dataSync(), data)).toBeLessThan(1e-5);
  }
  tf.dispose(tensors);
  expect({ ...tf.memory(), onBackend: tf.backend().numDataIds() }).toEqual(before);
}

const transposed = (shape: number[], isTransposed: boolean): number[] => {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return isTransposed ? [...shape.slice(0, -2), columns, rows] : shape;
};

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('transposeA %s, transposeB %s', (transposeA, transposeB) => {
  test.each([
    { a: [5, 7], b: [7, 3] },
    { a: [2, 19], b: [19, 31] },
    { a: [31, 19], b: [19, 2] },
    { a: [1, 9], b: [9, 1] },
    { a: [4, 5, 7], b: [4, 7, 3] },
    { a: [4, 5, 7], b: [7, 3] },
    { a: [4, 5, 7], b: [1, 7, 3] },
    { a: [1, 5, 7], b: [4, 7, 3] },
    { a: [2, 3, 5, 7], b: [7, 3] },
    { a: [5, 7], b: [1, 1, 7, 3] },
  ])('$a times $b', async ({ a, b }) => {
    await expectSame(() => {
      const left = seeded(transposed(a, transposeA), 1);
      const right = seeded(transposed(b, transposeB), 2);
      return [tf.matMul(left, right, transposeA, transposeB)];
    });
  });

  test.each([
    [
      [5, 7],
      [7, 3],
    ],
    [
      [4, 5, 7],
      [1, 7, 3],
    ],
    [
      [4, 5, 7],
      [4, 7, 3],
    ],
    [
      [1, 5, 7],
      [4, 7, 3],
    ],
  ])('fused: %j times %j', async (a, b) => {
    // prettier-ignore
    const prelu = () => ({ preluActivationWeights: seeded([3], 4) });
    for (const extra of [() => ({}), () => ({ leakyreluAlpha: 0.3 }), prelu]) {
      for (const bias of [undefined, [3]]) {
        await expectSame(() => {
          const left = seeded(transposed(a, transposeA), 1);
          const right = seeded(transposed(b, transposeB), 2);
          const options = extra();
          const activation =
            'leakyreluAlpha' in options ? 'leakyrelu' : 'preluActivationWeights' in options ? 'prelu' : 'relu';
          const biased = bias === undefined ? {} : { bias: seeded(bias, 3) };
          return [tf.fused.matMul({ a: left, b: right, transposeA, transposeB, activation, ...biased, ...options })];
        });
      }
    }
  });

  test('gradients', async () => {
    await expectSame(() => {
      const left = seeded(transposed([6, 7], transposeA), 1);
      const right = seeded(transposed([7, 3], transposeB), 2);
      return tf.grads((a, b) => tf.square(tf.matMul(a, b, transposeA, transposeB)))([left, right]);
    });
  });
});

describe('sums of segments', () => {
  test.each([
    { shape: [6, 4], axis: 0 },
    { shape: [6], axis: 0 },
    { shape: [3, 6, 2], axis: 1 },
    { shape: [3, 2, 6], axis: 2 },
  ])("gather's gradient: $shape, axis $axis", async ({ shape, axis }) => {
    await expectSame(() => {
      const indices = tf.tensor1d([5, 0, 0, 2, 5, 5, 1], 'int32');
      return [tf.grad((x) => tf.square(tf.gather(x, indices, axis)))(seeded(shape, 1))];
    });
  });

  test('rows without a segment are ignored, empty segments are 0', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2], [3, 4], [5, 6], [7, 8]]); // prettier-ignore
      const sums = tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 3, 1], 'int32'), 3);
      expect(sums.arraySync()).toEqual([[0, 0], [8, 10], [0, 0]]); // prettier-ignore
      // prettier-ignore
      expect(tf.unsortedSegmentSum(tf.tensor2d([], [0, 2]), tf.tensor1d([], 'int32'), 2).arraySync()).toEqual([[0, 0], [0, 0]]);
      const whole = tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3], 'int32'), tf.tensor1d([0, 0, 1], 'int32'), 2);
      expect(whole.dtype).toBe('int32');
      expect(whole.arraySync()).toEqual([3, 3]);
    });
  });

  test('segments that do not fit the rows raise an error', () => {
    tf.tidy(() => {
      const segments = tf.tensor1d([0, 1], 'int32');
      expect(() => tf.unsortedSegmentSum(tf.tensor2d([[1], [2], [3]]), segments, 2)).toThrow(
        'expected one segment for each of the 3 rows of x, got segments of shape [2]',
      );
    });
  });
});
