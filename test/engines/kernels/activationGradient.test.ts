// The gradient through an activation, with its sums, against plain loops and against tfjs's own gradients.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { activationGradient, type FlatActivation } from '../../../src/engines/kernels/activationGradient.ts';
import type { KernelModule } from '../../../src/engines/kernels/kernelModule.ts';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { areSameBits, startModule } from './onModule.ts';

const activations: readonly FlatActivation[] = ['relu', 'relu6'];
const shapes = [[1], [3, 1], [2, 3], [9, 5], [2, 7, 7, 17], [3, 40, 41, 16], [2, 40, 40, 33], [5, 1300]];

function run(kernels: KernelModule, dy: tf.Tensor, y: tf.Tensor, activation: FlatActivation) {
  return tf.tidy(() => {
    const { masked, sums } = activationGradient(kernels, dy, y, activation);
    const values = (info: tf.TensorInfo) => tf.engine().makeTensorFromTensorInfo(info).dataSync<'float32'>().slice();
    return { shape: masked.shape, channels: sums.shape, masked: values(masked), sums: values(sums) };
  });
}

const cases = activations.flatMap((activation) => shapes.map((shape) => ({ activation, shape })));

test.each(cases)('$activation of $shape', async ({ activation, shape }) => {
  const compute = async (threads: number) => {
    const kernels = await startModule(threads);
    const before = tf.memory().numBytes;
    const result = tf.tidy(() => {
      const x = tf.mul(seeded(shape, 1), 9);
      return run(kernels, seeded(shape, 2), tf[activation](x), activation);
    });
    expect(tf.memory().numBytes).toBe(before);
    return result;
  };
  const alone = await compute(1);
  const together = await compute(2);
  expect(areSameBits(together.masked, alone.masked) && areSameBits(together.sums, alone.sums)).toBe(true);

  const expected = tf.tidy(() => {
    const x = tf.mul(seeded(shape, 1), 9);
    const masked = tf.grad((each: tf.Tensor) => tf[activation](each))(x, seeded(shape, 2));
    return masked.dataSync<'float32'>().slice();
  });
  const channels = shape.at(-1)!;
  const sums = new Float64Array(channels);
  expected.forEach((value, i) => (sums[i % channels]! += value));
  expect([alone.shape, alone.channels]).toEqual([shape, [channels]]);
  expect(relativeDifference(alone.masked, expected)).toBe(0);
  expect(relativeDifference(alone.sums, sums)).toBeLessThan(1e-5);
});

test('no gradient where the activation is at its floor or ceiling', async () => {
  const kernels = await startModule(1);
  const dy = tf.ones([6, 1]);
  const y = tf.tensor2d([0, -0, 1e-30, 5.9999, 6, 6], [6, 1]);
  expect([...run(kernels, dy, y, 'relu6').masked]).toEqual([0, 0, 1, 1, 0, 0]);
  expect([...run(kernels, dy, y, 'relu').masked]).toEqual([0, 0, 1, 1, 1, 1]);
  tf.dispose([dy, y]);
});

test('threads do not overwrite sums that others still read', async () => {
  const kernels = await startModule(2);
  const runs = vi.spyOn(kernels, 'run');
  const [dy, y] = [tf.ones([784, 1280]), tf.ones([784, 1280])];
  expect(run(kernels, dy, y, 'relu').sums.every((sum) => sum === 784)).toBe(true);
  const reductions = runs.mock.calls.filter(([kernel, , tasks]) => kernel === 'reduceMiddle' && tasks > 1);
  expect(reductions.filter(([, [, from, to]]) => from === to)).toEqual([]);
  tf.dispose([dy, y]);
  runs.mockRestore();
});
