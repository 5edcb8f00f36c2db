// Optimizers against PyTorch's numbers (golden/optimizers.py), and convergence to known answers.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { adam, sgd, type Optimizer } from '../../src/train/optimizers.ts';
import golden from '../golden/optimizers.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

/** Steps of one weight; the gradient may depend on it. */
function descend(
  optimizer: Optimizer,
  start: tf.Tensor,
  steps: number,
  learningRate: number,
  gradientAt: (weight: tf.Tensor, step: number) => tf.Tensor,
) {
  let weight = start;
  let state = optimizer.init(weight);
  for (let step = 1; step <= steps; step++) {
    const gradient = tf.tidy(() => gradientAt(weight, step));
    const next = optimizer.update({ weight, gradient, state, learningRate, step });
    tf.dispose([weight, gradient, ...state]);
    ({ weight, state } = next);
  }
  tf.dispose(state);
  return weight;
}

test.each([
  ['adam', adam(), 0.01, golden.adam],
  ['adam, other betas', adam({ beta1: 0.8, beta2: 0.95 }), 0.05, golden.adamBetas],
  ['sgd', sgd(), 0.1, golden.sgd],
  ['sgd, momentum', sgd({ momentum: 0.9 }), 0.1, golden.momentum],
  ['sgd, Nesterov', sgd({ momentum: 0.9, nesterov: true }), 0.1, golden.nesterov],
])('%s: 20 steps equal PyTorch', async (_, optimizer, learningRate, expected) => {
  const weight = await expectNoLeak(
    () =>
      descend(optimizer, wave([6], 1, 0.1), 20, learningRate, (current, step) =>
        tf.add(wave([6], 0.5, 0.3 * (step - 1)), tf.mul(current, 0.2)),
      ),
    1,
  );
  weight.dataSync().forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] ?? NaN, 5);
  });
});

// Minima from the definitions: (3, -2) of the parabola, (1, 1) of Rosenbrock's valley.
const parabola = (w: tf.Tensor) => tf.mul(tf.sub(w, tf.tensor1d([3, -2])), 2);
const rosenbrock = (w: tf.Tensor) => {
  const [x = 0, y = 0] = w.dataSync();
  return tf.tensor1d([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]);
};

test.each([
  ['adam', adam(), 0.1, 600],
  ['sgd', sgd(), 0.1, 200],
  ['sgd, momentum', sgd({ momentum: 0.9 }), 0.01, 600],
])('%s finds the minimum of a parabola', (_, optimizer, rate, steps) => {
  const [x = 0, y = 0] = descend(optimizer, tf.tensor1d([0, 0]), steps, rate, parabola).dataSync();
  expect(x).toBeCloseTo(3, 2);
  expect(y).toBeCloseTo(-2, 2);
});

test("adam finds the end of Rosenbrock's valley", () => {
  const [x = 0, y = 0] = descend(adam(), tf.tensor1d([-1, 1]), 3000, 0.02, rosenbrock).dataSync();
  expect(x).toBeCloseTo(1, 1);
  expect(y).toBeCloseTo(1, 1);
});

test.each([
  [() => adam({ beta1: 1 }), 'adam: expected beta1 at least 0 and below 1, got 1.'],
  [() => adam({ beta2: NaN }), 'adam: expected beta2 at least 0 and below 1, got NaN.'],
  [() => adam({ epsilon: 0 }), 'adam: expected epsilon above 0, got 0.'],
  [() => sgd({ momentum: -0.1 }), 'sgd: expected momentum at least 0 and below 1, got -0.1.'],
])('refuses a rate of decay that cannot be', (make, message) => {
  expect(make).toThrow(message);
});
