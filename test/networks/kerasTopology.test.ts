// Topologies of Keras 3 that are written here: every preset and every activation comes back as the same network.
import { expect, test } from 'vitest';
import type { LayerGraph, LayerSpec } from '../../src/core/graphs.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { inferShapes } from '../../src/networks/graphs/inferShapes.ts';
import { appendLayer, inputLayer } from '../../src/networks/graphs/layerGraph.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { weightShapes } from '../../src/networks/read/weightShapes.ts';
import { activationOfLayer } from '../../src/networks/run/layerActivation.ts';
import { kerasName, writeKerasTopology } from '../../src/networks/write/writeKerasTopology.ts';
import { findPreset, presetNames } from '../../src/presets/presetTable.ts';

function written(graph: LayerGraph, trains: (layer: string) => boolean = () => true): JsonObject {
  const shapes = inferShapes(graph);
  const shapeOf = (call: number) => [null, ...(shapes[call] ?? [])];
  return writeKerasTopology(graph, { shapeOf, trains }).config;
}

/** A network of one layer after its input. */
function alone(className: string, config: Record<string, Json>, shape: readonly number[] = [8, 8, 4]): LayerGraph {
  const input = inputLayer('in', shape);
  const graph = {
    name: 'one',
    layers: new Map([['in', input]]),
    calls: [{ layer: 'in', inputs: [], kwargs: {} }],
    outputs: [{ call: 0, output: 0 }],
  };
  const layer: LayerSpec = { name: 'layer', className, config: { name: 'layer', ...config }, path: ['layer'] };
  return appendLayer(graph, layer);
}

function configOf(topology: JsonObject): JsonObject {
  const { layers } = topology.config as JsonObject;
  return (layers as JsonObject[])[1] ?? {};
}

test.each(presetNames())('%s: the same layers, calls, shapes and weights', async (name) => {
  const preset = await findPreset(name);
  const size = preset.inputSize;
  const options = { inputSize: [size, size] as const, top: true, alpha: preset.alphas[0] ?? 1, imagenet: true };
  const graph = preset.architecture(options);
  const again = parseTopology(written(graph));
  expect(again.calls).toEqual(graph.calls);
  expect([...again.layers.keys()]).toEqual([...graph.layers.keys()]);
  expect(inferShapes(again)).toEqual(inferShapes(graph));
  expect(weightShapes(again).map(({ weights }) => weights)).toEqual(weightShapes(graph).map(({ weights }) => weights));
  expect(again.outputs).toEqual(graph.outputs);
  const settings = ({ layers }: LayerGraph) =>
    [...layers.values()].map(({ config }) => [config.epsilon, config.strides, config.padding, config.filters]);
  expect(settings(again)).toEqual(settings(graph));
});

test.each([
  ['relu', 'relu'],
  ['swish', 'silu'],
  ['hardSwish', 'hard_silu'],
  ['hard_sigmoid_relu6', 'hard_sigmoid'],
  ['leakyRelu', 'leaky_relu'],
  ['gelu', 'gelu'],
])('the activation %s is %s of Keras 3, and comes back', (here, keras) => {
  const graph = alone('Activation', { activation: here });
  const topology = written(graph);
  expect(configOf(topology)).toMatchObject({
    module: 'keras.layers',
    class_name: 'Activation',
    config: { activation: keras },
    registered_name: null,
  });
  const layer = (from: LayerGraph) => from.layers.get('layer')!;
  expect(activationOfLayer(layer(parseTopology(topology)))).toEqual(activationOfLayer(layer(graph)));
});

test('layers of this package have their form in Keras', () => {
  const forms = (className: string, config: Record<string, Json>) => {
    const {
      class_name: name,
      config: settings,
      module,
      registered_name: registered,
    } = configOf(written(alone(className, config)));
    return { name, module, registered, settings };
  };
  expect(forms('AddConstant', { value: 3 })).toMatchObject({ name: 'Rescaling', settings: { scale: 1, offset: 3 } });
  expect(forms('MultiplyConstant', { value: [1, 2, 3, 4] })).toMatchObject({ settings: { scale: [1, 2, 3, 4] } });
  expect(forms('GlobalAveragePooling2DKeepDims', {})).toMatchObject({
    name: 'GlobalAveragePooling2D',
    settings: { keepdims: true },
  });
  expect(forms('LeakyReLU', { alpha: 0.1 })).toMatchObject({ settings: { negative_slope: 0.1 } });
  expect(forms('HalfPixelResizing', { factor: [2, 2], interpolation: 'bilinear' })).toMatchObject({
    name: 'UpSampling2D',
    settings: { size: [2, 2], interpolation: 'bilinear' },
  });
  expect(forms('LayerScale', { init_values: 1e-6 })).toMatchObject({
    module: 'keras.src.applications.convnext',
    registered: 'LayerScale',
    settings: { init_values: 1e-6, projection_dim: 4 },
  });
  expect(forms('Conv2D', {
    filters: 2, kernel_size: 3,
    kernel_initializer: { class_name: 'LeCunNormal', config: { seed: null } },
    kernel_regularizer: { class_name: 'L1L2', config: { l1: 0, l2: 0.1 } },
    bias_constraint: { class_name: 'MaxNorm', config: { max_value: 2, axis: 0 } },
  })).toMatchObject({ settings: {
    kernel_initializer: { module: 'keras.initializers', class_name: 'LecunNormal' },
    kernel_regularizer: { module: 'keras.regularizers', class_name: 'L1L2', config: { l1: 0, l2: 0.1 } },
    bias_constraint: { module: 'keras.constraints', class_name: 'MaxNorm' },
  } }); // prettier-ignore
});

test('layers that Keras lacks, or computes by another formula, are named', () => {
  for (const [className, config] of [
    ['Mine', {}],
    ['constructor', {}],
    ['Activation', { activation: 'gelu_tanh' }],
    // tfjs computes that of Keras 2.
    ['Activation', { activation: 'hardSigmoid' }],
    ['Dense', { units: 2, activation: 'hard_sigmoid' }],
    ['UpSampling2D', { interpolation: 'bilinear' }],
    ['LSTM', { units: 2 }],
  ] as const) {
    expect(() => written(alone(className, config))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_LAYER', details: { layers: ['layer'] } }),
    );
  }
});

test('a layer trains or not, and its name is one that Keras and TensorFlow take', () => {
  const topology = written(alone('Dense', { units: 2 }, [4]), () => false);
  expect(configOf(topology).config).toMatchObject({ trainable: false });
  expect(kerasName('Conv/BatchNorm')).toBe('Conv_BatchNorm');
  expect(kerasName('Größe 😀')).toBe('Gr__e___');
  expect(kerasName('_head')).toBe('layer_head');
  expect(kerasName('block_1.a-b')).toBe('block_1.a-b');
});
