// Activations and LayerNormalization as single kernels while a network trains: values and gradients are those of the layers.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Trunk } from '../../src/core/types.ts';
import { ActivationOf } from '../../src/networks/layers/activationOf.ts';
import { registerLayers } from '../../src/networks/layers/registerLayers.ts';
import { useBackend } from '../../src/useBackend.ts';
import { inputOf, trunkOf } from '../support/foldedTrunks.ts';
import { relativeError } from '../support/tensors.ts';

beforeAll(async () => {
  await useBackend('wasm', { kernels: true });
  registerLayers();
});
afterAll(async () => {
  await useBackend('wasm', { kernels: true });
});

const norm = (config: object = {}) => layers.layerNormalization(config);
const bend = (activation: string) => new ActivationOf({ activation });

interface Gradients {
  readonly kernels: ReadonlySet<string>;
  readonly value: tf.Tensor;
  readonly grads: Readonly<Record<string, tf.Tensor>>;
}

/** The sum of the outputs times different factors, and its gradients for all weights. */
async function gradientsOf(trunk: Trunk, input: tf.Tensor, fused: boolean): Promise<Gradients> {
  const variables = trunk.weights.map(({ variable }) => variable);
  const found: { value: tf.Scalar; grads: tf.NamedTensorMap }[] = [];
  const { kernels } = await tf.profile(() => {
    const loss = (): tf.Scalar => {
      const y = trunk.run(input, { fused });
      return tf.sum(tf.mul(y, tf.reshape(tf.sin(tf.range(0, y.size)), y.shape)));
    };
    found.push(
      tf.variableGrads(
        loss,
        variables.filter(({ name }) => !name.includes('moving')),
      ),
    );
  });
  return { ...found[0]!, kernels: new Set(kernels.map(({ name }) => name)) };
}

async function expectSame(parts: Parameters<typeof trunkOf>[0], expected: readonly string[]): Promise<void> {
  const trunk = await trunkOf(parts);
  const input = inputOf(trunk);
  const [plain, fused] = [await gradientsOf(trunk, input, false), await gradientsOf(trunk, input, true)];
  for (const name of expected) {
    expect(fused.kernels.has(name), name).toBe(true);
    expect(plain.kernels.has(name), name).toBe(false);
  }
  expect(relativeError(fused.value, plain.value)).toBeLessThan(2e-5);
  expect(Object.keys(fused.grads)).toEqual(Object.keys(plain.grads));
  for (const [name, gradient] of Object.entries(fused.grads)) {
    expect(relativeError(gradient, plain.grads[name]!), name).toBeLessThan(2e-5);
  }
  tf.dispose([input, plain.value, fused.value, plain.grads, fused.grads]);
  trunk.dispose();
}

const conv = () => layers.conv2d({ filters: 6, kernelSize: 3 });
const both = ['TransferkitActivation', 'TransferkitFunctionGradient'];

test.each(['silu', 'hard_silu', 'hard_sigmoid', 'gelu', 'gelu_tanh', 'sigmoid'])('%s', async (name) => {
  const before = { ...tf.memory(), ids: tf.backend().numDataIds() };
  await expectSame([conv(), layers.batchNormalization({}), bend(name), conv()], both);
  expect({ ...tf.memory(), ids: tf.backend().numDataIds() }).toEqual(before);
});

test("tfjs's own activation layers", async () => {
  for (const name of ['swish', 'hardSigmoid', 'gelu', 'sigmoid']) {
    await expectSame([conv(), layers.activation({ activation: name as 'relu' }), conv()], both);
  }
});

test('LayerNormalization with and without its weights', async () => {
  const kernels = ['TransferkitLayerNorm', 'TransferkitLayerNormGradient'];
  for (const config of [{}, { scale: false }, { center: false }, { scale: false, center: false, epsilon: 1e-6 }]) {
    await expectSame([conv(), norm(config), conv()], kernels);
  }
});

test('LayerNormalization over other axes runs as before', async () => {
  const trunk = await trunkOf([norm({ axis: [1, 3] })]);
  const input = inputOf(trunk);
  const { kernels } = await gradientsOf(trunk, input, true);
  expect(kernels.has('TransferkitLayerNorm')).toBe(false);
  tf.dispose(input);
  trunk.dispose();
});

test('a layer of the app under one of our names runs its own code', async () => {
  class Other extends layers.Layer {
    static readonly className = 'ActivationOf';
    override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.tidy(() => tf.add(Array.isArray(x) ? x[0]! : x, 100));
    }
    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), activation: 'silu' };
    }
  }
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const own = classNameMap.ActivationOf!;
  tf.serialization.registerClass(Other);
  try {
    const trunk = await trunkOf([new Other({ name: 'other' })]);
    const input = inputOf(trunk);
    const [y, expected] = [trunk.run(input, {}), tf.add(input, 100)];
    expect(relativeError(y, expected)).toBe(0);
    tf.dispose([input, y, expected]);
    trunk.dispose();
  } finally {
    classNameMap.ActivationOf = own;
  }
});
