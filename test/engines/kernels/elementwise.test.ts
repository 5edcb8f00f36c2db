// Arithmetic and activations on the module: to the bit what tfjs's cpu backend computes, which rounds once for each
// value.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { seeded } from '../backends/compare.ts';
import { areSameBits, onCpu, onModule, startModule, type Call } from './onModule.ts';

const arithmetic = ['Add', 'Multiply', 'Sub', 'RealDiv'];
const shapes = [
  ...[
    [[1], [1]],
    [[3], [3]],
    [[40_001], [40_001]],
    [
      [2, 5, 7, 9],
      [2, 5, 7, 9],
    ],
    [[5], [1, 5]],
  ],
  ...[
    [[7, 5], []],
    [[50_003], [1]],
    [[9], [1, 1, 1]],
  ],
  ...[
    [[3, 4, 5, 1], [1]],
    [[3, 4, 5, 3], [3]],
    [[2, 31, 35, 17], [17]],
    [
      [2, 3, 4, 16],
      [1, 1, 16],
    ],
  ],
  ...[
    [
      [2, 3, 4, 5],
      [2, 1, 1, 5],
    ],
    [
      [3, 70, 50, 12],
      [3, 1, 1, 12],
    ],
    [
      [4, 6, 1, 7],
      [6, 1, 7],
    ],
    [
      [5, 1, 8],
      [5, 1, 1],
    ],
  ],
  ...[
    [
      [4, 9],
      [4, 1],
    ],
    [
      [3, 40_000],
      [3, 1],
    ],
    [
      [2, 3, 4, 5],
      [2, 3, 4, 1],
    ],
  ],
];

async function expectSameBits(calls: readonly Call[]): Promise<void> {
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(areSameBits(data, expected[i]!.data), calls[i]!.kernel).toBe(true);
  }
}

test.each(arithmetic)('%s of equal shapes and of one that is repeated, on either side', async (kernel) => {
  const calls = shapes.flatMap(([first, second]) => {
    const operands = () => [seeded(first!, 1), seeded(second!, 2)] as const;
    const inOrder = () => ({ a: operands()[0], b: operands()[1] });
    const swapped = () => ({ a: operands()[1], b: operands()[0] });
    return [inOrder, swapped].map((inputs) => ({ kernel, inputs, attributes: {} }));
  });
  await expectSameBits(calls);
});

test('Tile of axes of length 1', async () => {
  const tiled = [
    [[1], [5]],
    [
      [3, 1],
      [1, 4],
    ],
    [
      [1, 1, 1, 7],
      [2, 3, 4, 1],
    ],
    [
      [2, 5, 1, 3],
      [1, 1, 70, 1],
    ],
    [
      [4, 30, 30, 1],
      [1, 1, 1, 17],
    ],
    [
      [2, 3],
      [1, 1],
    ],
  ];
  const calls = tiled.map(([shape, reps]) => {
    return { kernel: 'Tile', inputs: () => ({ x: seeded(shape!, 1) }), attributes: { reps } };
  });
  await expectSameBits(calls);
});

describe('tfjs runs', () => {
  test('tiles of longer axes', async () => {
    await startModule(1);
    const values = tf.tidy(() => tf.tile(tf.tensor2d([1, 2, 3, 4], [2, 2]), [1, 2]).dataSync());
    expect([...values]).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  });

  test.each([
    ['both are repeated', [3, 1], [1, 4]],
    ['axes apart from each other', [2, 3, 4], [1, 3, 1]],
    ['nothing at all', [0, 3], [3]],
  ])('%s', async (_, first, second) => {
    await startModule(1);
    const { shape, values } = tf.tidy(() => {
      const sum = tf.add(seeded(first, 1), seeded(second, 2));
      return { shape: sum.shape, values: sum.dataSync() };
    });
    await tf.setBackend('cpu');
    const expected = tf.tidy(() => tf.add(seeded(first, 1), seeded(second, 2)));
    expect([shape, values]).toEqual([expected.shape, expected.dataSync()]);
    tf.dispose(expected);
  });

  test('integers', async () => {
    await startModule(1);
    expect(tf.tidy(() => tf.add(tf.tensor1d([1, 2], 'int32'), tf.scalar(3, 'int32')).dataSync())).toEqual(
      Int32Array.of(4, 5),
    );
  });
});

describe('activations', () => {
  const edges = [-Infinity, -7, -1e-30, -0, 0, 1e-30, 3, 5.999999, 6, 6.5, Infinity];
  const x = (size: number) => () => ({
    x: tf.concat1d([tf.tensor1d(edges), tf.mul<tf.Tensor1D>(seeded([size], 1), 9)]),
  });

  test.each([
    ['Relu', {}],
    ['Relu6', {}],
    ['ClipByValue', { clipValueMin: -1.5, clipValueMax: 2.5 }],
    ['Step', { alpha: 0 }],
    ['Step', { alpha: 0.25 }],
  ])('%s %o', async (kernel, attributes) => {
    const calls = [1, 2, 5, 8, 40_000].map((size) => ({ kernel, inputs: x(size), attributes }));
    const expected = await onCpu(calls);
    for (const [i, { data }] of (await onModule(calls)).entries()) {
      // Zeros may differ in their sign.
      expect(areSameBits(data.map(plusZero), expected[i]!.data.map(plusZero))).toBe(true);
    }
  });

  test.each(['Relu', 'Relu6', 'ClipByValue', 'Step', 'Sigmoid'])('%s keeps NaN', async (kernel) => {
    const inputs = () => ({ x: tf.tensor1d([NaN, NaN, NaN, NaN, NaN]) });
    const [result] = await onModule([{ kernel, inputs, attributes: { clipValueMin: 0, clipValueMax: 1, alpha: 0 } }]);
    expect([...result!.data]).toEqual([NaN, NaN, NaN, NaN, NaN]);
  });

  test('Sigmoid is correct to 3 units in the last place, and reaches 0 and 1', async () => {
    const points = Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 230);
    const inputs = () => ({ x: tf.tensor1d([...points, -Infinity, -1000, 1000, Infinity]) });
    const [result] = await onModule([{ kernel: 'Sigmoid', inputs, attributes: {} }]);
    const errors = Array.from(points, (point, i) => {
      const exact = 1 / (1 + Math.exp(-point));
      return Math.abs(result!.data[i]! - exact) / unitInLastPlace(exact);
    });
    expect(Math.max(...errors)).toBeLessThan(3);
    expect([...result!.data.subarray(-4)]).toEqual([0, 0, 1, 1]);
  });
});

function plusZero(value: number): number {
  return value + 0;
}

/** Distance of neighbouring float32 numbers around a normal number. */
function unitInLastPlace(value: number): number {
  return 2 ** (Math.floor(Math.log2(value)) - 23);
}
