// Concatenations, slices and margins on the module: to the bit what tfjs's cpu backend makes.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { kernelMakers } from '../../../src/engines/kernels/kernelConfigs.ts';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { areSameBits, onCpu, onModule, startModule, type Call } from './onModule.ts';

async function expectLikeCpu(calls: readonly Call[]): Promise<void> {
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(areSameBits(data, expected[i]!.data), JSON.stringify(calls[i]!.attributes)).toBe(true);
  }
}

const joined = [
  { axis: 0, shapes: [[3], [1], [7]] },
  {
    axis: -1,
    shapes: [
      [2, 3],
      [2, 5],
    ],
  },
  {
    axis: 3,
    shapes: [
      [2, 5, 7, 3],
      [2, 5, 7, 16],
      [2, 5, 7, 1],
    ],
  },
  {
    axis: 3,
    shapes: [
      [2, 20, 20, 64],
      [2, 20, 20, 32],
    ],
  },
  {
    axis: 3,
    shapes: [
      [1, 3, 2, 150],
      [1, 3, 2, 129],
    ],
  },
  {
    axis: 1,
    shapes: [
      [2, 3, 4],
      [2, 1, 4],
    ],
  },
  {
    axis: 2,
    shapes: [
      [1, 2, 3, 4, 5],
      [1, 2, 2, 4, 5],
    ],
  },
];

test('Concat', async () => {
  const calls = joined.map(({ axis, shapes }) => ({
    kernel: 'Concat',
    inputs: () => shapes.map((shape, i) => seeded(shape, i)) as unknown as tf.NamedTensorMap,
    attributes: { axis },
  }));
  await expectLikeCpu(calls);
});

test.each(joined)('SplitV reverses Concat: axis $axis of $shapes', async ({ axis, shapes }) => {
  const module = await startModule(2);
  const { kernelFunc } = kernelMakers.find(({ kernelName }) => kernelName === 'SplitV')!.make(module, undefined);
  tf.tidy(() => {
    const parts = shapes.map((shape, i) => seeded(shape, i));
    const numOrSizeSplits = shapes.map((shape) => shape.at(axis)!);
    const inputs = { x: tf.concat(parts, axis) };
    const infos = [kernelFunc({ inputs, attrs: { axis, numOrSizeSplits }, backend: module.backend })].flat();
    for (const [i, info] of infos.entries()) {
      const part = tf.engine().makeTensorFromTensorInfo(info);
      expect(part.shape).toEqual(parts[i]!.shape);
      expect(part.dataSync()).toEqual(parts[i]!.dataSync());
    }
  });
});

test('SplitV in equal parts, and its gradient', async () => {
  await startModule(1);
  tf.tidy(() => {
    const x = seeded([3, 4, 6], 1);
    const middle = (each: tf.Tensor) => tf.sum(tf.square(tf.split(each, 3, 2)[1]!));
    const gradient = tf.grad(middle)(x);
    const mask = tf.tensor1d([0, 0, 1, 1, 0, 0]);
    expect(relativeDifference(gradient.dataSync(), tf.mul(tf.mul(x, 2), mask).dataSync())).toBe(0);
  });
});

test('Slice', async () => {
  const slices = [
    { shape: [10], begin: [3], size: [4] },
    { shape: [5, 6], begin: [1, 2], size: [3, -1] },
    { shape: [5, 6], begin: [2, 0], size: [2, 6] },
    { shape: [3, 4, 5], begin: [0, 1, 2], size: [3, 2, 2] },
    { shape: [2, 9, 8, 3], begin: [0, 1, 0, 0], size: [2, 7, 7, 3] },
    { shape: [3, 40, 40, 16], begin: [0, 1, 1, 0], size: [3, 39, 38, 16] },
    { shape: [2, 5, 6, 7], begin: [1, 1, 2, 3], size: [1, 3, 2, 3] },
    { shape: [2, 5, 6, 7], begin: [0, 0, 0, 0], size: [2, 5, 6, 7] },
  ];
  const calls = slices.map(({ shape, begin, size }) => ({
    kernel: 'Slice',
    inputs: () => ({ x: seeded(shape, 1) }),
    attributes: { begin, size },
  }));
  await expectLikeCpu(calls);
});

test('PadV2 around pictures', async () => {
  const margins = [
    { shape: [1, 1, 1, 1], rows: [1, 1], columns: [1, 1], constantValue: 0 },
    { shape: [2, 5, 7, 3], rows: [0, 1], columns: [0, 1], constantValue: 0 },
    { shape: [2, 5, 7, 3], rows: [2, 0], columns: [0, 0], constantValue: -1.5 },
    { shape: [3, 40, 41, 9], rows: [3, 3], columns: [2, 1], constantValue: 0.25 },
  ];
  const calls = margins.map(({ shape, rows, columns, constantValue }) => ({
    kernel: 'PadV2',
    inputs: () => ({ x: seeded(shape, 1) }),
    attributes: { paddings: [[0, 0], rows, columns, [0, 0]], constantValue },
  }));
  await expectLikeCpu(calls);
});

describe('integers are copied', () => {
  test.each([
    ['concat', (x: tf.Tensor) => tf.concat([x, x], 0), [1, 2, 1, 2]],
    ['slice', (x: tf.Tensor) => tf.slice(x, [0, 1], [1, 1]), [2]],
    [
      'pad',
      (x: tf.Tensor) =>
        tf.pad(
          tf.reshape(x, [1, 1, 2, 1]),
          [
            [0, 0],
            [0, 0],
            [1, 0],
            [0, 0],
          ],
          7,
        ),
      [7, 1, 2],
    ],
  ])('%s', async (_, compute, expected) => {
    await startModule(1);
    expect(tf.tidy(() => compute(tf.tensor2d([1, 2], [1, 2], 'int32')).dataSync())).toEqual(Int32Array.from(expected));
  });
});

describe('tfjs runs', () => {
  test.each([
    [
      'margins of channels',
      () =>
        tf.pad(tf.ones([1, 1, 1, 1]), [
          [0, 0],
          [0, 0],
          [0, 0],
          [1, 0],
        ]),
      [0, 1],
    ],
    ['lists with a margin', () => tf.pad(tf.ones([1]), [[1, 1]]), [0, 1, 0]],
    ['an empty part', () => tf.concat([tf.zeros([0, 2]), tf.ones([1, 2])]), [1, 1]],
    ['flags', () => tf.slice(tf.tensor1d([1, 0, 1], 'bool'), [1], [2]), [0, 1]],
    ['five axes', () => tf.slice(tf.ones([1, 1, 1, 1, 3]), [0, 0, 0, 0, 1]), [1, 1]],
  ])('%s', async (_, compute, expected) => {
    await startModule(1);
    expect([...tf.tidy(() => compute().dataSync())]).toEqual(expected);
  });
});
