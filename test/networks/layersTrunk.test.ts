// The layers trunk against tfjs's own predict: values, cuts, gradients, memory.
import * as tf from '@tensorflow/tfjs-core';
import { layers, model, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import { findCut } from '../../src/networks/cut/findCut.ts';
import { graphUpTo, lastCallOf, layerOf } from '../../src/networks/graphs/layerGraph.ts';
import type { LayersTrunk } from '../../src/core/types.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { readLiveModel } from '../../src/formats/tfjs/liveModel.ts';
import { expectNoLeak, relativeError } from '../support/tensors.ts';
import { setWeights, tinyModel, wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

async function trunkOf(source: LayersModel, cut?: string): Promise<LayersTrunk> {
  const artefact = readLiveModel(source);
  const graph = parseTopology(artefact.topology);
  const trimmed = graphUpTo(graph, cut === undefined ? findCut(graph) : lastCallOf(graph, cut));
  return buildTrunk(
    trimmed,
    artefact.weights(() => true),
  );
}

/** The output of an inner layer by tfjs itself. */
function reference(source: LayersModel, layer: string, x: tf.Tensor): tf.Tensor {
  const inner = model({ inputs: source.inputs, outputs: source.getLayer(layer).output });
  return inner.predict(x) as tf.Tensor;
}

describe('a network with BatchNorm, a residual block and dropout', () => {
  const x = () => wave([2, 16, 16, 3], 1, 0.3);

  test('is cut before its classifier by default', async () => {
    const graph = parseTopology(readLiveModel(tinyModel()).topology);
    expect(layerOf(graph, findCut(graph)).name).toBe('relu2');
  });

  test('has stages where one tensor separates it, dropout with the layer that reads it', async () => {
    const trunk = await trunkOf(tinyModel());
    expect(trunk.stages.map((stage) => stage.layers)).toEqual([
      ['conv1', 'bn1', 'relu1'],
      ['block_1_expand', 'block_1_depthwise', 'block_1_bn', 'block_1_project', 'block_1_add', 'pool'],
      ['drop', 'conv2', 'bn2', 'relu2'],
    ]);
    expect(trunk.stages.map((stage) => stage.stochastic)).toEqual([false, false, true]);
    expect(trunk.stages.map((stage) => stage.output.shape)).toEqual([
      [null, 8, 8, 8],
      [null, 4, 4, 8],
      [null, 4, 4, 12],
    ]);
  });

  test.each(['relu2', 'pool', 'block_1_depthwise', 'classifier'])('gives the values of tfjs at %s', async (cut) => {
    const source = tinyModel();
    const trunk = await trunkOf(source, cut);
    const error = relativeError(trunk.run(x()), reference(source, cut, x()));
    expect(error).toBeLessThan(1e-6);
  });

  test('gives the same values in one run and stage by stage', async () => {
    const trunk = await trunkOf(tinyModel());
    const whole = trunk.run(x());
    let current: tf.Tensor = x();
    for (let stage = 0; stage < trunk.stages.length; stage++)
      current = trunk.run(current, { from: stage, to: stage + 1 });
    expect(Array.from(current.dataSync())).toEqual(Array.from(whole.dataSync()));
  });

  test('creates one tensor, its result, and frees all others', async () => {
    const source = tinyModel();
    const input = x();
    await expectNoLeak(async () => {
      const trunk = await trunkOf(source);
      const y = await expectNoLeak(() => trunk.run(input), 1);
      y.dispose();
      trunk.dispose();
    });
  });

  test('does not change the model in memory, which is usable after dispose', async () => {
    const source = tinyModel();
    const before = source.getWeights().map((weight) => Array.from(weight.dataSync()));
    const trunk = await trunkOf(source);
    for (const weight of trunk.weights) weight.write(tf.zeros([...weight.shape]));
    trunk.dispose();
    expect(source.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(before);
  });

  test('dropout drops only when a seed is given, and the same seed drops the same', async () => {
    const trunk = await trunkOf(tinyModel());
    const values = (seed?: number) =>
      Array.from(trunk.run(x(), seed === undefined ? {} : { dropoutSeed: seed }).dataSync());
    expect(values()).toEqual(values());
    expect(values(1)).toEqual(values(1));
    expect(values(1)).not.toEqual(values());
    expect(values(1)).not.toEqual(values(2));
  });

  test('gradients of every kind of weight agree with central differences', async () => {
    const trunk = await trunkOf(tinyModel());
    const input = x();
    const target = wave([2, 4, 4, 12], 1, 0.9);
    const loss = () => tf.tidy(() => tf.sum<tf.Scalar>(tf.mul(trunk.run(input), target)));
    const moving = trunk.weights.filter((weight) => weight.kind !== 'statistics');
    const { grads } = tf.variableGrads(
      loss,
      moving.map((weight) => weight.variable),
    );
    for (const weight of moving) {
      const values = weight.variable.dataSync().slice();
      const gradient = grads[weight.variable.name]?.dataSync() ?? new Float32Array(0);
      const largest = Array.from(gradient).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      for (const index of [0, Math.floor(values.length / 2), values.length - 1]) {
        const at = (delta: number) => {
          const shifted = values.slice();
          shifted[index] = (shifted[index] ?? 0) + delta;
          weight.write(tf.tensor(shifted, [...weight.shape]));
          return loss().dataSync()[0] ?? 0;
        };
        const numeric = (at(2e-4) - at(-2e-4)) / 4e-4;
        weight.write(tf.tensor(values, [...weight.shape]));
        expect(Math.abs(numeric - (gradient[index] ?? NaN)), `${weight.name}[${String(index)}]`).toBeLessThan(
          3e-2 * largest,
        );
      }
    }
  });

  test('refuses a tensor of another shape or type, naming both', async () => {
    const trunk = await trunkOf(tinyModel());
    expect(() => trunk.run(tf.zeros([1, 8, 8, 3]))).toThrow(
      "expected a tensor of shape [any, 16, 16, 3] at 'picture', got [1, 8, 8, 3].",
    );
    expect(() => trunk.run(tf.fill([1, 16, 16, 3], 'a'))).toThrow(
      "expected a tensor of type float32 at 'picture', got string.",
    );
  });

  test('refuses to run after dispose', async () => {
    const trunk = await trunkOf(tinyModel());
    trunk.dispose();
    trunk.dispose();
    expect(() => trunk.run(x())).toThrow("expected a usable model, got 'tiny' after its dispose().");
    expect(trunk.disposed).toBe(true);
  });
});

describe('nested models', () => {
  test('are flattened: Sequential of Sequential of Model, as Teachable Machine exports them', async () => {
    const inner = tinyModel();
    const features = model({ inputs: inner.inputs, outputs: inner.getLayer('relu2').output, name: 'features' });
    const first = sequential({ name: 'first', layers: [features, layers.globalAveragePooling2d({ name: 'pooled' })] });
    const second = sequential({
      name: 'second',
      layers: [
        layers.dense({ inputShape: [12], units: 7, activation: 'relu', name: 'hidden' }),
        layers.dense({ units: 3, activation: 'softmax', name: 'out' }),
      ],
    });
    const whole = sequential({ name: 'outer', layers: [first, second] });
    setWeights(whole);
    const x = wave([2, 16, 16, 3], 1, 0.3);
    const trunk = await trunkOf(whole, 'out');
    expect(trunk.weights.some((weight) => weight.name === 'block_1_bn/gamma')).toBe(true);
    expect(relativeError(trunk.run(x), whole.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
    const graph = parseTopology(readLiveModel(whole).topology);
    expect(layerOf(graph, findCut(graph)).name).toBe('relu2');
  });

  test('keep layers that are used twice as one layer with shared weights', async () => {
    const shared = layers.dense({ units: 4, name: 'shared', activation: 'tanh' });
    const input = layers.input({ shape: [4] });
    const once = shared.apply(input) as SymbolicTensor;
    const twice = shared.apply(once) as SymbolicTensor;
    const whole = model({ inputs: input, outputs: layers.add({ name: 'sum' }).apply([once, twice]) as SymbolicTensor });
    setWeights(whole);
    const trunk = await trunkOf(whole, 'sum');
    const x = wave([3, 4], 1, 0);
    expect(trunk.weights).toHaveLength(2);
    expect(relativeError(trunk.run(x), whole.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
  });
});

describe('what is not supported raises an error', () => {
  test('several inputs', () => {
    const inputs = [layers.input({ shape: [2], name: 'left' }), layers.input({ shape: [2], name: 'right' })];
    const whole = model({ inputs, outputs: layers.add().apply(inputs) as SymbolicTensor });
    expect(() => parseTopology(whole.toJSON(undefined, false))).toThrow(
      'expected a model with one input, got 2 inputs (left, right).',
    );
  });

  test('masking', async () => {
    const whole = sequential({ layers: [layers.masking({ inputShape: [3, 2], name: 'mask' }), layers.flatten()] });
    await expect(trunkOf(whole, 'mask')).rejects.toThrow("got 'mask' (Masking), which masks time steps.");
  });

  test('a depthwise convolution with dilation, which tfjs leaves out', async () => {
    const dilated = layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, inputShape: [8, 8, 2], name: 'wide' });
    const whole = sequential({ layers: [dilated, layers.flatten(), layers.dense({ units: 2 })] });
    await expect(trunkOf(whole, 'wide')).rejects.toThrow(
      "got 'wide' (DepthwiseConv2D), which tfjs runs without its dilation.",
    );
  });

  test('an object that is not a model', () => {
    expect(() => parseTopology({ node: [] })).toThrow('expected the topology of a tfjs LayersModel');
    expect(() => parseTopology(undefined)).toThrow('got no modelTopology.');
  });
});

test('a SeparableConv2D keeps its depth multiplier, which tfjs leaves out of the configuration', async () => {
  const source = sequential({
    layers: [
      layers.separableConv2d({ filters: 3, kernelSize: 3, depthMultiplier: 2, inputShape: [6, 6, 2], name: 'deep' }),
    ],
  });
  setWeights(source);
  const x = wave([2, 6, 6, 2], 1, 0.3);
  const trunk = await trunkOf(source, 'deep');
  expect(relativeError(trunk.run(x), reference(source, 'deep', x))).toBeLessThan(1e-5);
  expect(trunk.layers.graph.layers.get('deep')?.config.depth_multiplier).toBe(2);
  trunk.dispose();
});
