// Activations of the module against formulas in double precision: alone, after products and convolutions, and backwards.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { functionNumbers, type FunctionName } from '../../../src/engines/kernels/functionConstants.ts';
import { relativeDifference, seeded, values } from '../backends/compare.ts';
import { references } from './functions.ts';
import { onCpu, onModule, type Call } from './onModule.ts';

const names = Object.keys(functionNumbers) as FunctionName[];

/** Values around 0 and far from it. */
const spread = (size: number, seed: number) => values(size, seed).map((value, i) => value * [1, 4, 12, 40][i % 4]!);

test.each(names)('%s', async (activation) => {
  const sizes = [1, 2, 3, 4, 5, 31, 40_000, 262_147];
  const calls = sizes.map((size) => ({
    kernel: 'TransferkitActivation',
    inputs: () => ({ x: tf.tensor1d(spread(size, size)) }),
    attributes: { activation },
  }));
  for (const [i, { data }] of (await onModule(calls)).entries()) {
    const expected = Float64Array.from(spread(sizes[i]!, sizes[i]!), references[activation].value);
    expect(relativeDifference(data, expected)).toBeLessThan(3e-7);
    // The tails of smooth functions are as exact as their middle.
    const isFar = (value: number, place: number) => Math.abs(data[place]! - value) > 4e-6 * Math.abs(value) + 1e-12;
    if (!activation.startsWith('hard')) expect(expected.filter(isFar)).toEqual(new Float64Array());
  }
});

test.each(names)('the gradient of %s, with its sums', async (activation) => {
  const shapes = [[1], [3, 1], [9, 5], [2, 7, 7, 17], [3, 40, 41, 16], [5, 1300]];
  const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const calls = shapes.map((shape, i) => ({
    kernel: 'TransferkitFunctionGradient',
    inputs: () => ({ dy: seeded(shape, i), x: tf.tensor(spread(sizeOf(shape), i + 9), shape) }),
    attributes: { activation },
  }));
  for (const [i, { data, further }] of (await onModule(calls)).entries()) {
    const x = spread(sizeOf(shapes[i]!), i + 9);
    const dy = values(x.length, i);
    const expected = Float64Array.from(x, (value, place) => dy[place]! * references[activation].slope(value));
    expect(relativeDifference(data, expected)).toBeLessThan(1e-6);
    const sums = new Float64Array(shapes[i]!.at(-1)!);
    expected.forEach((value, place) => (sums[place % sums.length]! += value));
    expect(relativeDifference(further![0]!.data, sums)).toBeLessThan(1e-5);
  }
});

/** What the formulas of tfjs's operations give. */
const formulas: Readonly<Partial<Record<FunctionName, (x: tf.Tensor) => tf.Tensor>>> = {
  sigmoid: tf.sigmoid,
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  hard_sigmoid: (x) => tf.clipByValue(tf.add(tf.mul(x, 0.2), 0.5), 0, 1),
  hard_sigmoid_relu6: (x) => tf.div(tf.clipByValue(tf.add(x, 3), 0, 6), 6),
  hard_silu: (x) => tf.div(tf.mul(x, tf.clipByValue(tf.add(x, 3), 0, 6)), 6),
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
};

test('NaN and infinity pass as through the formulas', async () => {
  const special = [NaN, Infinity, -Infinity, 1e30, -1e30, 0, -0, 1];
  const received = await onModule(
    names.map((activation) => ({
      kernel: 'TransferkitActivation',
      inputs: () => ({ x: tf.tensor1d(special) }),
      attributes: { activation },
    })),
  );
  await tf.setBackend('cpu');
  for (const [i, name] of names.entries()) {
    const formula = formulas[name];
    if (formula === undefined) continue;
    const expected = tf.tidy(() => formula(tf.tensor1d(special)).dataSync<'float32'>());
    received[i]!.data.forEach((value, place) => {
      const isSame = Object.is(value, expected[place]) || Math.abs(value - expected[place]!) < 1e-6;
      expect([name, special[place], value, isSame]).toEqual([name, special[place], value, true]);
    });
  }
  const [bent, flat] = [received[names.indexOf('gelu_tanh')]!.data, [NaN, Infinity, NaN, 1e30, -0, 0, -0]];
  expect([...bent.slice(0, 7)]).toEqual(flat.map(Math.fround));
});

/** A kernel with a function as its last step, and the same kernel without it. */
function fused(kernel: string, inputs: Call['inputs'], attributes: Call['attributes']): Call[] {
  return [...names, 'linear'].map((activation) => ({ kernel, inputs, attributes: { ...attributes, activation } }));
}

const swept = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1] };

test.each([
  ...fused(
    'FusedConv2D',
    () => ({ x: seeded([2, 19, 23, 21], 1), filter: seeded([3, 3, 21, 13], 2), bias: seeded([13], 3) }),
    swept,
  ),
  ...fused(
    'FusedConv2D',
    () => ({ x: seeded([3, 40, 40, 16], 1), filter: seeded([1, 1, 16, 100], 2), bias: seeded([100], 3) }),
    swept,
  ),
  // By Winograd's transforms, with columns that are left over.
  ...fused(
    'FusedConv2D',
    () => ({ x: seeded([2, 18, 21, 32], 1), filter: seeded([3, 3, 32, 76], 2), bias: seeded([76], 3) }),
    swept,
  ),
  ...fused('_FusedMatMul', () => ({ a: seeded([1, 7, 33], 1), b: seeded([1, 33, 8], 2) }), {
    transposeA: false,
    transposeB: false,
  }),
  ...fused(
    'FusedDepthwiseConv2D',
    () => ({ x: seeded([2, 19, 23, 21], 1), filter: seeded([3, 3, 21, 1], 2), bias: seeded([21], 3) }),
    { ...swept, strides: [2, 2] },
  ),
  ...fused(
    'FusedDepthwiseConv2D',
    () => ({ x: seeded([2, 9, 9, 3], 1), filter: seeded([5, 5, 3, 1], 2), bias: seeded([3], 3) }),
    swept,
  ),
])('$kernel with $attributes.activation', async (call) => {
  const { activation } = call.attributes;
  const plain = { ...call, attributes: { ...call.attributes, activation: 'linear' } };
  const [received] = await onModule([call]);
  const [sums] = await onCpu([plain]);
  const value = activation === 'linear' ? (x: number) => x : references[activation as FunctionName].value;
  expect(received!.shape).toEqual(sums!.shape);
  expect(relativeDifference(received!.data, Float64Array.from(sums!.data, value))).toBeLessThan(1e-5);
});
