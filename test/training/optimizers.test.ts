// Optimizers against the numbers of PyTorch (golden/optimizers.py) and Keras (golden/optimizersKeras.py), and
// convergence to known answers.
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trainHead, useBackend, type Optimizer, type TrunkWeight, type UseBackendOptions } from '../../src/index.ts';
import { adagrad, adam, adamW, lion, rmsprop, sgd } from '../../src/optimizers.ts';
import * as door from '../../src/optimizers.ts';
import { keysOf } from '../../src/core/names.ts';
import { optimizers, settleOptimizer } from '../../src/training/optimizers/optimizers.ts';
import { OptimizerSlots } from '../../src/training/state/optimizerSlots.ts';
import keras from '../golden/optimizersKeras.json' with { type: 'json' };
import golden from '../golden/optimizers.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { wave } from '../support/tinyModel.ts';
import { tinySamples, tinyTransfer } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
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

const known: [string, Optimizer, number, number[]][] = [
  ['adam', adam(), 0.01, golden.adam],
  ['adam, other betas', adam({ beta1: 0.8, beta2: 0.95 }), 0.05, golden.adamBetas],
  ['adamW', adamW({ weightDecay: 0.3 }), 0.05, golden.adamW],
  ['sgd', sgd(), 0.1, golden.sgd],
  ['sgd, momentum', sgd({ momentum: 0.9 }), 0.1, golden.momentum],
  ['sgd, weight decay', sgd({ momentum: 0.9, weightDecay: 0.3 }), 0.1, golden.decay],
  ['sgd, Nesterov', sgd({ momentum: 0.9, nesterov: true }), 0.1, golden.nesterov],
  ['rmsprop', rmsprop(), 0.02, golden.rmsprop],
  ['rmsprop, momentum', rmsprop({ decay: 0.95, momentum: 0.8 }), 0.01, golden.rmspropMomentum],
  ['rmsprop, centered', rmsprop({ decay: 0.95, centered: true, epsilon: 1e-5 }), 0.01, golden.rmspropOnlyCentered],
  [
    'rmsprop, centered, momentum',
    rmsprop({ decay: 0.95, momentum: 0.5, centered: true, epsilon: 1e-5 }),
    0.01,
    golden.rmspropCentered,
  ],
  ['adagrad', adagrad(), 0.2, golden.adagrad],
  ['adagrad, initial sum', adagrad({ initialSum: 0.1 }), 0.2, golden.adagradInitial],
  ['lion', lion(), 0.01, keras.lion],
  ['lion, other betas', lion({ beta1: 0.8, beta2: 0.95 }), 0.05, keras.lionBetas],
  ['lion, weight decay', lion({ weightDecay: 0.3 }), 0.05, keras.lionDecay],
];

const startOf = () => tf.tidy(() => tf.reshape(wave([6], 1, 0.1), [2, 3]));
const gradientOf = (weight: tf.Tensor, step: number) =>
  tf.add(tf.reshape(wave([6], 0.5, 0.3 * (step - 1)), [2, 3]), tf.mul(weight, 0.2));

const lateComers: [string, Optimizer, number[][]][] = [
  ['adam', adam(), golden.late.adam],
  ['adamW', adamW({ weightDecay: 0.3 }), golden.late.adamW],
  ['sgd, momentum', sgd({ momentum: 0.9 }), golden.late.momentum],
  [
    'rmsprop, centered',
    rmsprop({ decay: 0.95, momentum: 0.5, centered: true, epsilon: 1e-5 }),
    golden.late.rmspropCentered,
  ],
  ['adagrad', adagrad(), golden.late.adagrad],
];

/** A weight by itself. */
function weightOf(phase: number): TrunkWeight {
  const variable = tf.tidy(() => tf.variable(tf.reshape(wave([6], 1, phase), [2, 3])));
  const write = (value: tf.Tensor) => {
    variable.assign(value);
  };
  return {
    name: `layer/${String(phase)}`,
    layer: 'layer',
    stage: 0,
    shape: [2, 3],
    kind: 'kernel',
    variable,
    frozen: false,
    write,
  };
}

const lateGradient = (weight: tf.Tensor, step: number, place: number) =>
  tf.add(tf.reshape(wave([6], 0.5, 0.3 * step + place), [2, 3]), tf.mul(weight, 0.2));

/** How far a weight is from the one that is known: the most that a value differs, relative to what it should be. */
function distance(weight: tf.Tensor, target: readonly number[]): number {
  return Math.max(...target.map((value, i) => Math.abs(((weight.dataSync()[i] ?? NaN) - value) / value)));
}

describe.each([
  ['cpu', 'cpu', {}],
  ['wasm', 'wasm', { kernels: false }],
  ['wasm with kernels', 'wasm', { threads: 2 }],
])('on %s 20 steps are as known', (_, backend, options: UseBackendOptions) => {
  beforeAll(async () => {
    await useBackend(backend, options);
  });
  afterAll(useTestBackend);

  test.each(known)('%s, weight by weight', async (__, optimizer, learningRate, expected) => {
    const weight = await expectNoLeak(() => descend(optimizer, startOf(), 20, learningRate, gradientOf), 1);
    expect(distance(weight, expected)).toBeLessThan(1e-5);
    weight.dispose();
  });

  test.each(lateComers)(
    '%s: a weight that is added after 100 steps changes as with add_param_group',
    async (__, optimizer, expected) => {
      const weights = [0.1, 0.7].map(weightOf);
      await expectNoLeak(() => {
        const slots = new OptimizerSlots(optimizer);
        for (let step = 0; step < 110; step++) {
          const moving = step < 100 ? weights.slice(0, 1) : weights;
          slots.follow(moving);
          const gradients = moving.map(({ variable }, place) => tf.tidy(() => lateGradient(variable, step, place)));
          slots.step(moving, gradients, () => 0.01);
          tf.dispose(gradients);
        }
        slots.dispose();
      });
      weights.forEach(({ variable }, place) => {
        expect(distance(variable, expected[place] ?? [])).toBeLessThan(1e-4);
        variable.dispose();
      });
    },
  );
});

describe('by the kernel 20 steps are as known', () => {
  beforeAll(async () => {
    await useBackend('wasm', { threads: 2 });
  });
  afterAll(useTestBackend);

  const withKernel = known.filter(([, optimizer]) => 'updateAll' in optimizer);
  test.each(withKernel)('%s', (_, optimizer, learningRate, expected) => {
    const before = tf.memory();
    let weight: tf.Tensor = startOf();
    const state = optimizer.init(weight);
    for (let step = 1; step <= 20; step++) {
      const gradient = tf.tidy(() => gradientOf(weight, step));
      const [moved] = optimizer.updateAll?.([{ weight, gradient, state, learningRate, step }]) ?? [];
      tf.dispose([weight, gradient]);
      weight = moved!;
    }
    expect(distance(weight, expected)).toBeLessThan(1e-5);
    tf.dispose([weight, ...state]);
    expect(tf.memory()).toEqual(before);
  });
});

test.each([[[3]], [[]]])('adamW: a weight of shape %j does not decay', (shape) => {
  tf.tidy(() => {
    const [weight, zero] = [tf.ones(shape), tf.zeros(shape)];
    const step = { weight, gradient: zero, state: [zero, zero], learningRate: 1, step: 1 };
    const next = adamW({ weightDecay: 0.5 }).update(step);
    expect(Array.from(next.weight.dataSync())).toEqual(Array.from(weight.dataSync()));
  });
});

test('rmsprop, centered: constant gradients give no NaN', () => {
  const still = () => tf.tensor1d([0.1, 0.3, 0.7, -1e-3, 1e3]);
  const weight = descend(rmsprop({ decay: 0.5, centered: true }), tf.zeros([5]), 60, 1e-6, still);
  expect(Array.from(weight.dataSync()).every(Number.isFinite)).toBe(true);
  weight.dispose();
});

describe.each(keysOf(optimizers))('%s by name', (name) => {
  test('equals the exported function of the same name', () => {
    const [byName, made] = [settleOptimizer(name), door[name]()];
    expect(byName.name).toBe(name);
    expect(JSON.parse(JSON.stringify(byName))).toEqual(JSON.parse(JSON.stringify(made)));
    const gradient = () => tf.tensor1d([0.1, -2, 3]);
    const [one, other] = [byName, made].map((each) => descend(each, tf.tensor1d([1, 2, 3]), 5, 0.1, gradient));
    expect(one?.dataSync()).toEqual(other?.dataSync());
    tf.dispose([one, other].flatMap((each) => each ?? []));
  });

  test('lowers the loss', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    const learningRate = 10 * door[name]().defaultLearningRate;
    const options = { epochs: 20, batchSize: 4, optimizer: name, learningRate };
    const log = await expectNoLeak(() => trainHead(model, tinySamples(), options));
    expect(log.epochs.at(-1)?.loss).toBeLessThan(0.8 * (log.epochs[0]?.loss ?? 0));
    model.dispose();
  });
});

test('an unknown name raises an error with all names', () => {
  const known = keysOf(optimizers).map((name) => `'${name}'`);
  expect(() => settleOptimizer('adamw')).toThrow(
    `expected optimizer to be ${known.join(', ')} or one made by adam(), sgd() …, got 'adamw'.`,
  );
});

test('lion, like adamW, has no decay for weights of one axis', () => {
  const gradient = () => tf.zeros([2]);
  const [bias, kernel] = [[2], [2, 1]].map((shape) =>
    descend(lion({ weightDecay: 0.5 }), tf.ones(shape), 1, 0.1, () => tf.reshape(gradient(), shape)).dataSync(),
  );
  expect(Array.from(bias ?? [])).toEqual([1, 1]);
  expect(Array.from(kernel ?? [])).toEqual([expect.closeTo(0.95, 6), expect.closeTo(0.95, 6)]);
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
  ['rmsprop', rmsprop(), 0.02, 600],
  ['adagrad', adagrad(), 1, 600],
])('%s finds the minimum of a parabola', (_, optimizer, rate, steps) => {
  const [x = 0, y = 0] = descend(optimizer, tf.tensor1d([0, 0]), steps, rate, parabola).dataSync();
  expect(x).toBeCloseTo(3, 2);
  expect(y).toBeCloseTo(-2, 2);
});

test("adam finds the minimum of Rosenbrock's function", () => {
  const [x = 0, y = 0] = descend(adam(), tf.tensor1d([-1, 1]), 3000, 0.02, rosenbrock).dataSync();
  expect(x).toBeCloseTo(1, 1);
  expect(y).toBeCloseTo(1, 1);
});

test.each([
  [() => adam({ beta1: 1 }), 'adam: expected beta1 at least 0 and below 1, got 1.'],
  [() => adam({ beta2: NaN }), 'adam: expected beta2 at least 0 and below 1, got NaN.'],
  [() => adam({ epsilon: 0 }), 'adam: expected epsilon above 0, got 0.'],
  [() => adamW({ weightDecay: -1 }), 'adamW: expected weightDecay from 0, got -1.'],
  [() => rmsprop({ decay: 1 }), 'rmsprop: expected decay at least 0 and below 1, got 1.'],
  [() => adagrad({ initialSum: NaN }), 'adagrad: expected initialSum from 0, got NaN.'],
  [() => lion({ beta1: 1 }), 'lion: expected beta1 at least 0 and below 1, got 1.'],
  [() => lion({ weightDecay: -1 }), 'lion: expected weightDecay from 0, got -1.'],
  [() => sgd({ weightDecay: -1 }), 'sgd: expected weightDecay from 0, got -1.'],
  [() => sgd({ nesterov: true }), 'sgd: expected momentum above 0 for nesterov, got 0.'],
  [() => sgd({ momentum: -0.1 }), 'sgd: expected momentum at least 0 and below 1, got -0.1.'],
])('refuses invalid settings: %s', (make, message) => {
  expect(make).toThrow(message);
});
