// A step of all weights in one run of the module: to the bit what the optimizers' pure functions compute with tfjs.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { type OptimizerStep } from '../../../src/index.ts';
import { adam, adamW, sgd } from '../../../src/optimizers.ts';
import { seeded } from '../backends/compare.ts';
import { startModule } from './onModule.ts';

const shapes = [[], [1], [3, 1], [5], [2, 3, 7], [40_003], [4], [3, 1001], [2]];
const rates = [1e-2, 1e-3];

const optimizers = [
  { name: 'adam', optimizer: adam() },
  { name: 'adam, other numbers', optimizer: adam({ beta1: 0.8, beta2: 0.95, epsilon: 1e-4 }) },
  { name: 'adamW', optimizer: adamW({ weightDecay: 0.1 }) },
  { name: 'momentum, weight decay', optimizer: sgd({ momentum: 0.9, weightDecay: 0.1 }) },
  { name: 'descent', optimizer: sgd() },
  { name: 'momentum', optimizer: sgd({ momentum: 0.9 }) },
  { name: 'Nesterov', optimizer: sgd({ momentum: 0.9, nesterov: true }) },
];

const gradientsAt = (step: number) => shapes.map((shape, i) => tf.mul(seeded(shape, 100 * step + i), 10 ** (i - 4)));

test.each(optimizers)('$name', async ({ optimizer }) => {
  await startModule(2);
  tf.tidy(() => {
    let apart = shapes.map((shape, i) => seeded(shape, i));
    let together: readonly tf.Tensor[] = apart;
    let states = apart.map((weight) => optimizer.init(weight));
    const changed = apart.map((weight) => optimizer.init(weight));
    for (let step = 1; step <= 4; step++) {
      const gradients = gradientsAt(step);
      const stepOf = (weight: tf.Tensor, i: number, state: tf.Tensor[]): OptimizerStep => ({
        // Every third weight began a hundred steps before the others, as where those are unfrozen late.
        ...{
          weight,
          gradient: gradients[i]!,
          state,
          learningRate: rates[i % 2]!,
          step: i % 3 === 0 ? step + 100 : step,
        },
      });
      const before = bytesOf(together);
      const next = apart.map((weight, i) => optimizer.update(stepOf(weight, i, states[i]!)));
      const moved = optimizer.updateAll!(together.map((weight, i) => stepOf(weight, i, changed[i]!)))!;
      // The old weights are still there for whoever holds them.
      expect(bytesOf(together).equals(before)).toBe(true);
      apart = next.map(({ weight }) => weight);
      states = next.map(({ state }) => state);
      together = moved;
      expect(bytesOf(together).equals(bytesOf(apart)), `weights after step ${String(step)}`).toBe(true);
      expect(bytesOf(changed.flat()).equals(bytesOf(states.flat())), `state after step ${String(step)}`).toBe(true);
    }
  });
});

test('the same on one thread and on two, and nothing leaks', async () => {
  const run = async (threads: number) => {
    await startModule(threads);
    const before = tf.memory();
    const bytes = tf.tidy(() => {
      const steps = shapes.map((shape, i) => {
        const weight = seeded(shape, i);
        return { weight, gradient: seeded(shape, 9), state: adam().init(weight), learningRate: 0.1, step: 1 };
      });
      const weights = adam().updateAll!(steps)!;
      expect(weights.map(({ shape }) => shape)).toEqual(shapes);
      return bytesOf([...weights, ...steps.flatMap(({ state }) => state)]);
    });
    expect(tf.memory()).toEqual(before);
    return bytes;
  };
  const alone = await run(1);
  expect((await run(2)).equals(alone)).toBe(true);
});

test('other backends have no such kernel', async () => {
  tf.env().set('PROD', true); // The cpu backend's greeting.
  await tf.setBackend('cpu');
  const weight = tf.scalar(1);
  const steps = [{ weight, gradient: weight, state: [], learningRate: 0.1, step: 1 }];
  expect(sgd().updateAll?.(steps)).toBeUndefined();
  weight.dispose();
});

function bytesOf(tensors: readonly tf.Tensor[]): Buffer {
  return Buffer.concat(tensors.map((tensor) => Buffer.from(tensor.dataSync<'float32'>().slice().buffer)));
}
