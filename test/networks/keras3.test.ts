// Topologies as Keras writes them: small models by Keras 3 itself (golden/keras3.py), older forms, and what is refused.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { isJsonList, isJsonObject, type Json } from '../../src/core/json.ts';
import type { Base } from '../../src/model/model.ts';
import { registerLayers } from '../../src/layers.ts';
import { loadBase } from '../../src/loadBase.ts';
import { replaceHead } from '../../src/replaceHead.ts';
import { save } from '../../src/save.ts';
import { findCut } from '../../src/networks/cut/findCut.ts';
import { layerOf } from '../../src/networks/graphs/layerGraph.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { writeTopology } from '../../src/networks/write/writeTopology.ts';
import golden from '../golden/keras3.json' with { type: 'json' };
import { wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Weight {
  readonly name: string;
  readonly shape: number[];
}

/** A model as tfjs hands it over, with weights by the formula of the golden file. */
function handler(topology: object, weights: readonly Weight[]): tf.io.IOHandler {
  const values = weights.map(({ name, shape }, i) => {
    const around = /(gamma|moving_variance)$/.test(name) ? 1 : 0;
    return wave(shape, 0.4, i + 0.3, around).dataSync() as Float32Array;
  });
  const weightData = new Float32Array(values.flatMap((each) => [...each])).buffer;
  const weightSpecs = weights.map((weight) => ({ ...weight, dtype: 'float32' as const }));
  return { load: () => Promise.resolve({ modelTopology: topology, weightSpecs, weightData }) };
}

/** Topology as tensorflowjs_converter leaves it: without the modules. */
function converted(value: Json): Json {
  if (isJsonList(value)) return value.map(converted);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !['module', 'registered_name', 'build_config'].includes(key));
  return Object.fromEntries(kept.map(([key, each]) => [key, converted(each)]));
}

function difference(found: tf.Tensor, expected: readonly number[]): number {
  const values = found.dataSync();
  expect(values.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - (values[i] ?? NaN))));
}

const cuts = { mixed: 'top', sequence: 'last', nested: 'both', stacked: 'head_dense' };

describe.each(Object.entries(cuts))('%s', (key, cut) => {
  const { topology, weights, inputShape, output } = golden.models[key as keyof typeof cuts];
  const load = (json: object = topology): Promise<Base> => loadBase(handler(json, weights), { cut });

  test('computes the values of Keras 3', async () => {
    const base = await load();
    expect(difference(base.trunk.run(wave([2, ...inputShape], 1, 0.2)), output)).toBeLessThan(1e-5);
    base.dispose();
  });

  test('can be read by plain tfjs when saved', async () => {
    const base = await load();
    const written = JSON.parse(JSON.stringify(writeTopology(base.trunk.layers!.graph))) as object;
    const data = Object.fromEntries(base.trunk.weights.map(({ name, variable }) => [name, variable]));
    const { data: weightData, specs: weightSpecs } = await tf.io.encodeWeights(data);
    registerLayers();
    const model = await loadLayersModel(tf.io.fromMemory({ modelTopology: written, weightSpecs, weightData }));
    const found = model.predict(wave([2, ...inputShape], 1, 0.2)) as tf.Tensor;
    expect(difference(found, output)).toBeLessThan(1e-5);
    expect(parseTopology(written)).toEqual({ ...base.trunk.layers!.graph });
    model.dispose();
    base.dispose();
  });

  test('lists what was left out', async () => {
    const base = await load();
    const left = { mixed: ['flip', 'turn', 'crop'], sequence: [], nested: [], stacked: ['zoom'] }[key] ?? [];
    expect(
      base.notes.map((note) => /^left out '(.*)' \(Random.*\): it changes pictures in training only$/.exec(note)?.[1]),
    ).toEqual(left);
    base.dispose();
  });
});

test('a topology as the converter leaves it reads the same', () => {
  for (const key of ['nested', 'sequence', 'stacked'] as const) {
    const { topology } = golden.models[key];
    const stripped = { keras_version: '3.9.2', backend: 'tensorflow', model_config: converted(topology) };
    expect(parseTopology(stripped)).toEqual(parseTopology(topology));
  }
});

test('gradients flow through converted layers, and a trained model is saved with them', async () => {
  const { topology, weights } = golden.models.mixed;
  const base = await loadBase(handler(topology, weights), { cut: 'top' });
  const x = wave([2, 8, 8, 3], 1, 0.2);
  const moving = base.trunk.weights.filter(({ kind }) => kind !== 'statistics').map(({ variable }) => variable);
  const { grads } = tf.variableGrads(() => tf.sum(tf.square(base.trunk.run(x))), moving);
  const still = moving.filter(({ name }) => {
    const grad = grads[name];
    return grad === undefined || tf.max(tf.abs(grad)).dataSync()[0] === 0;
  });
  expect(still.map(({ name }) => name)).toEqual([]);
  const model = replaceHead(base, { labels: ['a', 'b'], seed: 1 });
  let saved: tf.io.ModelArtifacts = {};
  await save(
    model,
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  const plain = await loadLayersModel(tf.io.fromMemory(saved));
  expect(plain.outputs[0]?.shape).toEqual([null, 2]);
  plain.dispose();
  model.dispose();
});

/** A topology of Keras 2 around the given layers; the first reads the input 'x', the last is the output. */
function keras2(shape: number[], ...inner: readonly [name: string, className: string, config: object, nodes: Json][]) {
  const input = {
    name: 'x',
    class_name: 'InputLayer',
    config: { name: 'x', batch_input_shape: [null, ...shape] },
    inbound_nodes: [],
  };
  const others = inner.map(([name, class_name, config, node]) => ({
    name,
    class_name,
    config: { name, ...config },
    inbound_nodes: [node],
  }));
  const last = inner.at(-1)?.[0] ?? 'x';
  const config = {
    name: 'old',
    layers: [input, ...others],
    input_layers: [['x', 0, 0]],
    output_layers: [[last, 0, 0]],
  };
  return { keras_version: '2.15.0', backend: 'tensorflow', model_config: { class_name: 'Functional', config } };
}

async function run(topology: object, x: tf.Tensor, weights: readonly Weight[] = []): Promise<number[]> {
  const { graph } = { graph: parseTopology(topology) };
  const cut = graph.calls[graph.outputs[0]?.call ?? 0]?.layer ?? '';
  const base = await loadBase(handler(topology, weights), { cut });
  const output = [...base.trunk.run(x).dataSync()];
  base.dispose();
  return output;
}

describe('operations of Keras 2', () => {
  const operation = (f: string) => ({ trainable: true, dtype: 'float32', function: f });
  const x = (): tf.Tensor => tf.tensor2d([-4, -1, 0.5, 4], [1, 4]);

  test('the hard swish of MobileNetV3 is recognised', async () => {
    const topology = keras2(
      [4],
      ['tf.__operators__.add', 'TFOpLambda', operation('__operators__.add'), ['x', 0, 0, { y: 3, name: null }]],
      ['re_lu', 'ReLU', { max_value: 6, negative_slope: 0, threshold: 0 }, [['tf.__operators__.add', 0, 0, {}]]],
      ['tf.math.multiply', 'TFOpLambda', operation('math.multiply'), ['re_lu', 0, 0, { y: 1 / 6, name: null }]],
      [
        'multiply',
        'Multiply',
        {},
        [
          ['x', 0, 0, {}],
          ['tf.math.multiply', 0, 0, {}],
        ],
      ],
    );
    const found = await run(topology, x());
    [0, -1 / 3, 0.5 * (3.5 / 6), 4].forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
  });

  test.each([
    ['math.subtract', ['x', 0, 0, { y: 1 }], [-5, -2, -0.5, 3]],
    ['math.subtract', ['_CONSTANT_VALUE', -1, 1, { y: ['x', 0, 0] }], [5, 2, 0.5, -3]],
    ['math.subtract', ['x', 0, 0, { y: ['x', 0, 0] }], [0, 0, 0, 0]],
    ['math.truediv', ['x', 0, 0, { y: 2 }], [-2, -0.5, 0.25, 2]],
    ['math.add', ['x', 0, 0, { y: ['x', 0, 0], name: null }], [-8, -2, 1, 8]],
    ['math.multiply', ['x', 0, 0, { y: [1, 2, 3, 4] }], [-4, -2, 1.5, 16]],
    ['nn.bias_add', ['x', 0, 0, { bias: [1, 2, 3, 4], data_format: null }], [-3, 1, 3.5, 8]],
    ['nn.relu6', ['x', 0, 0, { name: null }], [0, 0, 0.5, 4]],
    ['nn.relu', [['x', 0, 0, {}]], [0, 0, 0.5, 4]],
  ] as [string, Json, number[]][])('%s %j', async (name, node, expected) => {
    const found = await run(keras2([4], ['it', 'TFOpLambda', operation(name), node]), x());
    expect(found).toEqual(expected);
  });

  test.each([
    ['AddV2', { 1: 3 }, [-1, 2, 3.5, 7]],
    ['Sub', { 0: 1 }, [5, 2, 0.5, -3]],
    ['Relu6', {}, [0, 0, 0.5, 4]],
  ])('the node of TensorFlow %s %j', async (op, constants, expected) => {
    const config = { node_def: { name: op, op, input: ['x'] }, constants };
    expect(await run(keras2([4], ['it', 'TensorFlowOpLayer', config, [['x', 0, 0, {}]]]), x())).toEqual(expected);
  });

  test('hard_sigmoid stays that of Keras 2, and swish has its other name', async () => {
    const of = (activation: string) => keras2([4], ['it', 'Activation', { activation }, [['x', 0, 0, {}]]]);
    expect((await run(of('hard_sigmoid'), x()))[1]).toBeCloseTo(0.3, 6);
    expect((await run(of('silu'), x()))[3]).toBeCloseTo(4 / (1 + Math.exp(-4)), 5);
  });

  test('half precision becomes float32, and a ReLU with both bounds keeps them', async () => {
    const relu = keras2([4], ['it', 'ReLU', { dtype: 'mixed_float16', max_value: [3] }, [['x', 0, 0, {}]]]);
    expect(await run(relu, x())).toEqual([0, 0, 0.5, 3]);
    const bent = keras2([4], ['it', 'ReLU', { max_value: 3, negative_slope: 0.5 }, [['x', 0, 0, {}]]]);
    await expect(run(bent, x())).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER' });
  });

  test('pooling that keeps its axes', async () => {
    const mean = keras2([2, 2, 1], ['it', 'GlobalAveragePooling2D', { keepdims: true }, [['x', 0, 0, {}]]]);
    expect(await run(mean, tf.tensor4d([1, 2, 3, 6], [1, 2, 2, 1]))).toEqual([3]);
  });
});

describe('a layer as the activation of another', () => {
  const weights = [
    { name: 'it/kernel', shape: [4, 3] },
    { name: 'it/bias', shape: [3] },
  ];
  const dense = (activation: Json): [string, string, object, Json] => [
    'it',
    'Dense',
    { units: 3, activation },
    [['x', 0, 0, {}]],
  ];

  test.each([
    ['LeakyReLU', { alpha: 0.1 }],
    ['LeakyReLU', { negative_slope: 0.1 }],
    ['ReLU', { max_value: 1, negative_slope: 0, threshold: 0 }],
    ['Softmax', { axis: -1 }],
  ])('%s %j gives the values of a separate activation layer', async (class_name, config) => {
    const x = wave([2, 4], 9, 0.1);
    const apart = keras2([4], dense('linear'), ['bend', class_name, config, [['it', 0, 0, {}]]]);
    const expected = await run(apart, x, weights);
    const inside = keras2([4], dense({ class_name, config: { name: 'bend', trainable: true, ...config } }));
    const { trunk } = await loadBase(handler(inside, weights), { cut: 'it' });
    const part = await trunk.fold();
    for (const found of [trunk.run(x), trunk.run(x, { fused: false }), await part.run(x)]) {
      expect(difference(found, expected)).toBeLessThan(1e-6);
    }
    part.dispose();
    trunk.dispose();
  });

  test.each([
    ['Dense', { units: 3 }, 'ReLU', { threshold: 1 }],
    ['Dense', { units: 3 }, 'Swirl', {}],
    ['GroupedConv2D', { filters: 2, kernel_size: [1, 1], groups: 2 }, 'LeakyReLU', { alpha: 0.1 }],
  ])('%s %j is refused with %s %j', async (className, config, class_name, options) => {
    const shape = className === 'Dense' ? [4] : [2, 2, 4];
    const activation = { class_name, config: options };
    const topology = keras2(shape, ['it', className, { ...config, activation }, [['x', 0, 0, {}]]]);
    await expect(loadBase(handler(topology, []), { cut: 'it' })).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER' });
  });
});

test('a regularizer that tfjs writes as a constraint of a depthwise kernel has no effect', async () => {
  const config = { name: 'it', kernelSize: 1, inputShape: [2, 2, 3], depthwiseRegularizer: 'l1l2' as const };
  const whole = sequential({ layers: [layers.depthwiseConv2d(config)] });
  const base = await loadBase(whole, { cut: 'it' });
  const [kernel] = base.trunk.weights;
  const value = wave([1, 1, 3, 1], 1, 0.2);
  kernel?.write(value);
  expect(kernel?.variable.dataSync()).toEqual(value.dataSync());
  base.dispose();
  whole.dispose();
});

describe('an operation without a layer', () => {
  const lambda = (className: string) =>
    keras2(
      [4],
      ['strange', className, { function: 'tf.sin' }, [['x', 0, 0, {}]]],
      ['next', 'Dense', { units: 2 }, [['strange', 0, 0, {}]]],
    );
  const weights = [
    { name: 'next/kernel', shape: [4, 2] },
    { name: 'next/bias', shape: [2] },
  ];

  test.each(['Lambda', 'TFOpLambda', 'Swirl', 'MyPackage>Swirl'])(
    '%s: the layer, its class, and what to do',
    async (className) => {
      const known = className.replace(/^.*>/, '');
      const loading = loadBase(handler(lambda(className), weights), { cut: 'next' });
      await expect(loading).rejects.toMatchObject({
        code: 'UNSUPPORTED_LAYER',
        details: { layer: 'strange', className: known },
      });
      await expect(loading).rejects.toThrow(
        `expected layers that tfjs or transferkit knows, got 'strange' of class '${known}'. Register a tfjs layer of your ` +
          `own under that name (tf.serialization.registerClass, static className = '${known}'), or cut the base before it.`,
      );
    },
  );

  test('is accepted if the base is cut before it', async () => {
    const base = await loadBase(handler(lambda('Lambda'), weights), { cut: 'x' });
    expect(base.trunk.output.shape).toEqual([null, 4]);
    base.dispose();
  });

  test('is accepted if the user has registered a layer', async () => {
    class Twirl extends layers.Layer {
      static readonly className = 'Twirl';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.tidy(() => tf.mul(Array.isArray(inputs) ? (inputs[0] ?? 0) : inputs, 2));
      }
    }
    tf.serialization.registerClass(Twirl);
    const twice = keras2([2], ['it', 'MyPackage>Twirl', {}, [['x', 0, 0, {}]]]);
    expect(await run(twice, tf.tensor2d([1, -3], [1, 2]))).toEqual([2, -6]);
  });

  test.each([
    [
      'a division by a tensor',
      keras2([4], ['it', 'TFOpLambda', { function: 'math.truediv' }, ['_CONSTANT_VALUE', -1, 1, { y: ['x', 0, 0] }]]),
    ],
    ['a crop that does something', keras2([8, 8, 3], ['it', 'RandomCrop', { height: 4, width: 4 }, [['x', 0, 0, {}]]])],
    ['an activation', keras2([4], ['it', 'Dense', { units: 2, activation: 'my_bend' }, [['x', 0, 0, {}]]])],
  ])('%s', async (_, topology) => {
    await expect(loadBase(handler(topology, []), { cut: 'it' })).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER' });
  });

  test('an activation is named', async () => {
    const topology = keras2([4], ['it', 'Dense', { units: 2, activation: 'my_bend' }, [['x', 0, 0, {}]]]);
    await expect(loadBase(handler(topology, []), { cut: 'it' })).rejects.toThrow(
      "expected activations that tfjs or transferkit knows, got 'my_bend' in 'it' (Dense). Register one of your own " +
        "(tf.serialization.registerClass, static className = 'myBend'), or cut the base before it.",
    );
  });
});

describe('weights and cuts', () => {
  const call = (name: string): Json => [[name, 0, 0, {}]];

  test('the nameless weight of LayerScale is found', async () => {
    const topology = keras2([3], ['it', 'LayerScale', { init_values: 0.5, projection_dim: 3 }, call('x')]);
    const found = await run(topology, tf.tensor2d([1, 1, 1], [1, 3]), [{ name: 'it/variable_7', shape: [3] }]);
    expect(found).toEqual([...wave([3], 0.4, 0.3).dataSync()]);
  });

  test.each(['deep/kernel', 'inner/deep/kernel', 'old/inner/deep/kernel'])(
    'a layer in a model is found under %s',
    async (name) => {
      const inner = keras2([2, 2, 1], ['deep', 'DepthwiseConv2D', { kernel_size: 1, use_bias: false }, call('x')]);
      const { config } = inner.model_config;
      const topology = keras2([2, 2, 1], ['inner', 'Functional', { ...config, name: 'inner' }, call('x')]);
      const x = tf.ones([1, 2, 2, 1]);
      const base = await loadBase(handler(topology, [{ name, shape: [1, 1, 1, 1] }]), { cut: 'deep' });
      const [value] = wave([1], 0.4, 0.3).dataSync();
      expect([...base.trunk.run(x).dataSync()]).toEqual([value, value, value, value]);
    },
  );

  test('a top of 1 × 1 convolutions behind a pooling that keeps its axes is a classifier', () => {
    const conv = { filters: 4, kernel_size: [1, 1] };
    const graph = parseTopology(
      keras2(
        [4, 4, 3],
        ['map', 'Conv2D', { filters: 6, kernel_size: [3, 3] }, call('x')],
        ['map_act', 'Activation', { activation: 'hard_silu' }, call('map')],
        ['pool', 'GlobalAveragePooling2D', { keepdims: true }, call('map_act')],
        ['wide', 'Conv2D', conv, call('pool')],
        ['wide_act', 'Activation', { activation: 'hard_silu' }, call('wide')],
        ['logits', 'Conv2D', conv, call('wide_act')],
        ['flat', 'Flatten', {}, call('logits')],
        ['classes', 'Activation', { activation: 'softmax' }, call('flat')],
      ),
    );
    expect(layerOf(graph, findCut(graph)).name).toBe('map_act');
  });

  test('a gate before Flatten is not a classifier', () => {
    const graph = parseTopology(
      keras2(
        [4, 4, 3],
        ['map', 'Conv2D', { filters: 4, kernel_size: [3, 3] }, call('x')],
        ['pool', 'GlobalAveragePooling2D', { keepdims: true }, call('map')],
        ['gate', 'Conv2D', { filters: 4, kernel_size: [1, 1], activation: 'sigmoid' }, call('pool')],
        [
          'weigh',
          'Multiply',
          {},
          [
            ['gate', 0, 0, {}],
            ['map', 0, 0, {}],
          ],
        ],
        ['flat', 'Flatten', {}, call('weigh')],
        ['classes', 'Dense', { units: 2, activation: 'softmax' }, call('flat')],
      ),
    );
    expect(layerOf(graph, findCut(graph)).name).toBe('weigh');
  });

  test('a layer norm between pooling and classes belongs to the classifier, as in ConvNeXt', () => {
    const graph = parseTopology(
      keras2(
        [4, 4, 3],
        ['map', 'Conv2D', { filters: 4, kernel_size: [3, 3] }, call('x')],
        ['pool', 'GlobalAveragePooling2D', {}, call('map')],
        ['norm', 'LayerNormalization', {}, call('pool')],
        ['classes', 'Dense', { units: 2, activation: 'softmax' }, call('norm')],
      ),
    );
    expect(layerOf(graph, findCut(graph)).name).toBe('map');
  });
});
