// Comparisons and what follows from them, on the module: to the bit what tfjs's cpu backend computes.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { seeded } from '../backends/compare.ts';
import { areSameBits, onCpu, onModule, startModule, type Call } from './onModule.ts';

const shapes = [[1], [3], [15], [16, 1], [2, 33], [3, 5, 7, 9], [40_007]];
const edges = [NaN, -Infinity, -1, -0, 0, 0.5, 1, Infinity];

/** Values of which some are equal. */
function coarse(shape: number[], seed: number): tf.Tensor {
  return tf.round(tf.mul(seeded(shape, seed), 3));
}

async function expectLikeCpu(calls: readonly Call[]): Promise<void> {
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(areSameBits(data, expected[i]!.data), calls[i]!.kernel).toBe(true);
  }
}

test.each(['LessEqual', 'GreaterEqual', 'Less', 'Greater'])('%s', async (kernel) => {
  const pairs: (() => tf.NamedTensorMap)[] = [
    ...shapes.map((shape) => () => ({ a: coarse(shape, 1), b: coarse(shape, 2) })),
    ...shapes.map((shape) => () => ({ a: coarse(shape, 1), b: tf.scalar(1) })),
    ...shapes.map((shape) => () => ({ a: tf.scalar(1), b: coarse(shape, 1) })),
    ...edges.map((edge) => () => ({ a: tf.tensor1d(edges), b: tf.scalar(edge) })),
    () => ({ a: tf.scalar(1), b: tf.scalar(1) }),
  ];
  await expectLikeCpu(pairs.map((inputs) => ({ kernel, inputs, attributes: {} })));
});

test('LogicalAnd', async () => {
  const inputs = shapes.map((shape) => () => ({
    a: tf.greater(coarse(shape, 1), 0),
    b: tf.less(coarse(shape, 2), 1),
  }));
  await expectLikeCpu(inputs.map((each) => ({ kernel: 'LogicalAnd', inputs: each, attributes: {} })));
});

test('Select', async () => {
  const inputs = shapes.map((shape) => () => ({
    condition: tf.greater(coarse(shape, 1), 0),
    t: seeded(shape, 2),
    e: seeded(shape, 3),
  }));
  await expectLikeCpu(inputs.map((each) => ({ kernel: 'Select', inputs: each, attributes: {} })));
});

test('Cast of flags to numbers', async () => {
  const inputs = shapes.map((shape) => () => ({ x: tf.greater(coarse(shape, 1), 0) }));
  const results = await onModule(inputs.map((x) => ({ kernel: 'Cast', inputs: x, attributes: { dtype: 'float32' } })));
  for (const [i, { data }] of results.entries()) {
    const flags = tf.tidy(() => inputs[i]!().x.dataSync());
    expect(data).toBeInstanceOf(Float32Array);
    expect(data.every((value, index) => value === flags[index])).toBe(true);
  }
});

test('values that tfjs casts to booleans are true if they are not 0', async () => {
  const compute = () =>
    tf.tidy(() => {
      const [a, b] = [tf.cast(tf.range(0, 45), 'bool'), tf.cast(tf.mod(tf.range(0, 45), 4), 'bool')];
      return [tf.logicalAnd(a, b), tf.cast(a, 'float32')].map((tensor) => [...tensor.dataSync()]);
    });
  await tf.setBackend('cpu');
  const expected = compute();
  await startModule(1);
  expect(compute()).toEqual(expected);
});

describe('operations that return their input', () => {
  test.each([
    ['clone', tf.clone],
    ['cast to the same type', (x: tf.Tensor) => tf.cast(x, x.dtype)],
  ])('%s shares them until the last one is freed', async (_, copy) => {
    await startModule(1);
    const before = tf.memory();
    const x = tf.tensor1d([1, 2, 3]);
    const other = copy(x);
    expect(other.dataId).toBe(x.dataId);
    x.dispose();
    expect([...other.dataSync()]).toEqual([1, 2, 3]);
    other.dispose();
    expect(tf.memory()).toEqual(before);
  });

  test('assigning a variable does not change its clone', async () => {
    await startModule(1);
    const variable = tf.variable(tf.tensor1d([1, 2, 3]));
    const copy = variable.clone();
    tf.tidy(() => {
      variable.assign(tf.add(variable, 1));
    });
    expect([...copy.dataSync()]).toEqual([1, 2, 3]);
    tf.dispose([variable, copy]);
  });
});

describe('tfjs runs', () => {
  test.each([
    ['comparing along an axis', () => tf.less(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor1d([2, 3])), [1, 1, 0, 0]],
    ['casting to whole numbers', () => tf.cast(tf.tensor1d([1.5, -1.5]), 'int32'), [1, -1]],
    [
      'choosing whole numbers',
      () => tf.where(tf.tensor1d([1, 0], 'bool'), tf.ones([2], 'int32'), tf.zeros([2], 'int32')),
      [1, 0],
    ],
  ])('%s', async (_, compute, expected) => {
    await startModule(1);
    expect([...tf.tidy(() => compute().dataSync())]).toEqual(expected);
  });
});
