// The preprocessor that only checks: shape, type, finiteness, range.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TensorInputSpec } from '../../../src/model/model.ts';
import { tensorPreprocessor, type TensorInput } from '../../../src/data/preprocess/tensor.ts';

let tensorsBefore = 0;
beforeEach(() => {
  tensorsBefore = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(tensorsBefore);
});

type Spec = Omit<TensorInputSpec, 'kind'>;
const matrix: Spec = { shape: [2, 3], dtype: 'float32' };
const numbers = [1, 2, 3, 4, 5, 6];

describe('tensorPreprocessor accepts', () => {
  const cases: [string, Spec, () => TensorInput, number[]][] = [
    ['a tensor', matrix, () => tf.tensor2d(numbers, [2, 3]), [2, 3]],
    ['a tensor with a free axis', { shape: [null, 3], dtype: 'float32' }, () => tf.tensor2d(numbers, [2, 3]), [2, 3]],
    [
      'a tensor in plain memory',
      matrix,
      () => ({ shape: [2, 3], dtype: 'float32', values: Float32Array.from(numbers) }),
      [2, 3],
    ],
    ['floats', matrix, () => Float32Array.from(numbers), [2, 3]],
    ['bytes', matrix, () => Uint8Array.from(numbers), [2, 3]],
    ['a flat list', matrix, () => numbers, [2, 3]],
    [
      'nested lists',
      matrix,
      () => [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [2, 3],
    ],
    [
      'nested lists with a free axis',
      { shape: [null, 3], dtype: 'float32' },
      () => [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [2, 3],
    ],
    ['a list for one free axis', { shape: [null], dtype: 'float32' }, () => numbers, [6]],
    ['whole numbers', { shape: [6], dtype: 'int32' }, () => numbers, [6]],
  ];

  it.each(cases)('%s', async (_, spec, make, shape) => {
    const input = make();
    const result = await tensorPreprocessor(spec).apply(input);
    expect(result.shape).toEqual(shape);
    expect(result.dtype).toBe(spec.dtype);
    expect(Array.from(result.dataSync())).toEqual(numbers);
    result.dispose();
    if (input instanceof tf.Tensor) {
      expect(input.isDisposed).toBe(false);
      input.dispose();
    }
  });

  it('copies arrays: changing them later changes no tensor', async () => {
    const values = Float32Array.from(numbers);
    const result = await tensorPreprocessor(matrix).apply(values);
    values.fill(0);
    expect(Array.from(result.dataSync())).toEqual(numbers);
    result.dispose();
  });
});

describe('tensorPreprocessor refuses', () => {
  const ranged: Spec = { shape: [2], dtype: 'float32', range: [-1, 1] };
  const cases: [string, Spec, () => TensorInput, string, RegExp][] = [
    [
      'another shape',
      matrix,
      () => tf.zeros([3, 2]),
      'WRONG_SHAPE',
      /expected one example of shape \[2, 3\], got \[3, 2\]/,
    ],
    ['a batch', matrix, () => tf.zeros([1, 2, 3]), 'WRONG_SHAPE', /Give one example without the batch axis/],
    [
      'another type',
      matrix,
      () => tf.zeros([2, 3], 'int32'),
      'WRONG_DTYPE',
      /expected float32 values, got a tensor of type int32\. .*cast\(tensor, 'float32'\)/,
    ],
    [
      'too few numbers',
      matrix,
      () => [1, 2],
      'WRONG_SHAPE',
      /expected 6 values for shape \[2, 3\], got a flat list of 2/,
    ],
    [
      'fewer values in plain memory than its shape says',
      matrix,
      () => ({ shape: [2, 3], dtype: 'float32', values: Float32Array.of(1, 2) }),
      'WRONG_SHAPE',
      /expected 6 values for shape \[2, 3\], got 2/,
    ],
    [
      'a flat list with a free axis',
      { shape: [null, 3], dtype: 'float32' },
      () => numbers,
      'WRONG_SHAPE',
      /With a free axis give a tensor or nested lists/,
    ],
    [
      'ragged lists',
      matrix,
      () => [
        [1, 2, 3],
        [4, 5],
      ],
      'WRONG_SHAPE',
      /lists of equal length: a list of 3 at depth 1, got one of 2/,
    ],
    [
      'a list among numbers',
      matrix,
      () => [1, [2]],
      'WRONG_SHAPE',
      /expected a number|a number at depth 1, got one of 1/,
    ],
    [
      'text among numbers',
      matrix,
      () =>
        [
          [1, 2, 3],
          [4, 5, '6'],
        ] as unknown as TensorInput,
      'WRONG_DTYPE',
      /expected numbers, got a value of type string \("6"\)/,
    ],
    [
      'a path',
      matrix,
      () => 'cat.jpg' as unknown as TensorInput,
      'WRONG_DTYPE',
      /got the text 'cat\.jpg'\. If the base takes pictures, .* preprocess: 'tf'/,
    ],
    [
      'fractions for int32',
      { shape: [2], dtype: 'int32' },
      () => [1, 0.5],
      'WRONG_DTYPE',
      /got numbers with fractions/,
    ],
    [
      'infinity',
      ranged,
      () => [0, Number.POSITIVE_INFINITY],
      'NOT_FINITE',
      /got Infinity at position 1\. Fill in or leave out missing values/,
    ],
    ['NaN in a tensor', ranged, () => tf.tensor1d([Number.NaN, 0]), 'NOT_FINITE', /got NaN at position 0/],
    [
      'pixels where [-1, 1] is expected',
      ranged,
      () => [0, 255],
      'OUT_OF_RANGE',
      /trained on, -1\.\.1, got values in 0\.\.255\. They look like pixels/,
    ],
    ['a little too much', ranged, () => tf.tensor1d([-1.2, 0]), 'OUT_OF_RANGE', /Scale them first/],
  ];

  it.each(cases)('%s', async (_, spec, make, code, text) => {
    const input = make();
    const error: unknown = await tensorPreprocessor(spec)
      .apply(input)
      .catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(text);
    if (input instanceof tf.Tensor) input.dispose();
  });

  it('a disposed tensor', async () => {
    const tensor = tf.zeros([2, 3]);
    tensor.dispose();
    await expect(tensorPreprocessor(matrix).apply(tensor)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('accepts rounding and overshoot of up to 5 % of the range', async () => {
    const result = await tensorPreprocessor(ranged).apply([-1.05, 1.09]);
    expect(result.shape).toEqual([2]);
    result.dispose();
  });

  it.each([
    [{ shape: [2.5], dtype: 'float32' }],
    [{ shape: [2], dtype: 'string' }],
    [{ shape: [2], dtype: 'float32', range: [1, 0] }],
  ])('spec %j', (spec) => {
    const make = (): unknown => tensorPreprocessor(spec as unknown as Spec);
    expect(make).toThrow(/expected shape to be a list of whole numbers above 0 .* got \{/);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
