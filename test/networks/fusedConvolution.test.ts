// Layers computed together against the same layers one by one: values, gradients, memory. The layers one by one are
// checked against central differences elsewhere.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { fineTune, useBackend, type Trunk } from '../../src/index.ts';
import { chain, chains, conv, differences, gradients, norm, relu, trunkOf } from '../support/fusedChains.ts';
import { expectNoLeak, relativeError } from '../support/tensors.ts';
import { layerByLayer } from '../support/testBackend.ts';
import { tinyModel, wave } from '../support/tinyModel.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

describe.each([
  ['cpu', {}],
  ['wasm', { kernels: false }],
  ['wasm', { threads: 2 }],
] as const)('on %s, %o', (backend, options) => {
  beforeAll(async () => {
    await useBackend(backend, options);
  });

  test.each(Object.entries(chains))('%s', async (_, { list, shape = [9, 8, 6] }) => {
    const found = await expectNoLeak(async () => differences(await chain(list(), shape), shape));
    for (const [name, difference] of Object.entries(found)) expect(difference, name).toBeLessThan(1e-5);
  });

  test('a network with a residual block and dropout', async () => {
    const found = differences(await trunkOf(tinyModel()), [16, 16, 3], 1);
    for (const [name, difference] of Object.entries(found)) expect(difference, name).toBeLessThan(1e-4);
  });
});

describe('training', () => {
  beforeAll(async () => {
    await useBackend('cpu');
  });

  test('gives the weights of training layer by layer', async () => {
    const trained = async (prepare: (trunk: Trunk) => Trunk) => {
      const model = await tinyTransfer({ dropout: 0 });
      for (const { trunk } of [model.base, model.head]) prepare(trunk);
      await fineTune(model, tinySamples(), { epochs: 2, learningRate: 1e-2 });
      const values = weightValues(model);
      model.dispose();
      return values;
    };
    const [together, oneByOne] = [await trained((trunk) => trunk), await trained(layerByLayer)];
    for (const [name, values] of Object.entries(oneByOne)) {
      expect(relativeError(tf.tensor(together[name]!), tf.tensor(values)), name).toBeLessThan(1e-3);
    }
  });
});

describe('kernels that run', () => {
  beforeAll(async () => {
    await useBackend('cpu');
  });

  const kernelsOf = async (run: () => void) => {
    const { kernels } = await tf.profile(run);
    return kernels.map(({ name }) => name);
  };

  test.each(Object.entries(chains))(
    'one kernel for each group: %s',
    async (_, { list, shape = [9, 8, 6], kernels }) => {
      const trunk = await chain(list(), shape);
      const x = wave([2, ...shape], 1, 0.3);
      const names = await kernelsOf(() => {
        tf.dispose(trunk.run(x));
      });
      expect(names.filter((name) => name.startsWith('Transferkit '))).toHaveLength(kernels);
      tf.dispose(x);
      trunk.dispose();
    },
  );

  test('only the requested gradients', async () => {
    const trunk = await chain([conv(), norm(), relu()]);
    const x = wave([2, 9, 8, 6], 1, 0.3);
    const step = (...names: string[]) =>
      kernelsOf(() => {
        const moving = trunk.weights.filter(({ name }) => names.includes(name)).map(({ variable }) => variable);
        tf.dispose(tf.variableGrads(() => tf.sum<tf.Scalar>(trunk.run(x)), moving));
      });
    const all = await step('conv/kernel', 'conv/bias', 'norm/gamma', 'norm/beta');
    expect(all.filter((name) => name.includes('Backprop'))).toEqual(['Conv2DBackpropFilter']);
    const shift = await step('conv/bias', 'norm/beta');
    expect(shift.filter((name) => name.includes('Backprop'))).toEqual([]);
    tf.dispose(x);
    trunk.dispose();
  });

  test('one pass for the gradient of an activation and its sums, if the module runs', async () => {
    await useBackend('wasm', { threads: 1 });
    const trunk = await chain([conv(), norm(), relu()]);
    const x = wave([2, 9, 8, 6], 1, 0.3);
    const names = await kernelsOf(() => {
      tf.dispose(gradients(trunk, x, true));
    });
    expect(names.filter((name) => name === 'TransferkitActivationGradient')).toHaveLength(1);
    expect(names).not.toContain('Step');
    tf.dispose(x);
    trunk.dispose();
    await useBackend('cpu');
  });

  test('whole numbers as input', async () => {
    const trunk = await chain([conv(), norm(), relu()]);
    const x = tf.cast(wave([2, 9, 8, 6], 9, 0.3), 'int32');
    expect(relativeError(trunk.run(x), trunk.run(tf.cast(x, 'float32')))).toBe(0);
    trunk.dispose();
  });

  test('second gradients keep the tensors that they need', async () => {
    const trunk = await chain([layers.dense({ units: 3 }), relu()], [4]);
    const x = wave([2, 4], 1, 0.3);
    const slope = (fused: boolean) =>
      tf.grad((at) => tf.sum(tf.square(tf.grad((inner) => tf.sum(tf.square(trunk.run(inner, { fused }))))(at))))(x);
    expect(relativeError(slope(true), slope(false))).toBeLessThan(1e-5);
    trunk.dispose();
  });

  test('keeps less than half of the memory of single layers', async () => {
    const block = () => [
      layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same' }),
      layers.batchNormalization({}),
      layers.reLU({ maxValue: 6 }),
    ];
    const trunk = await chain([...block(), ...block(), ...block()], [16, 16, 5]);
    const x = wave([4, 16, 16, 5], 1, 0.3);
    const peak = async (fused: boolean) => {
      const before = tf.memory().numBytes;
      const { peakBytes } = await tf.profile(() => {
        tf.dispose(gradients(trunk, x, fused));
      });
      return peakBytes - before;
    };
    const [together, oneByOne] = [await peak(true), await peak(false)];
    expect(together).toBeLessThan(0.5 * oneByOne);
    tf.dispose(x);
    trunk.dispose();
  });
});
