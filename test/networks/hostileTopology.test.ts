// Topologies that lie, ask for endless work, or were made for a fixed number of examples.
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fromArrays,
  isTransferKitError,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  useBackend,
  type LoadBaseOptions,
} from '../../src/index.ts';
import { expectNoLeak, raisedBy } from '../support/tensors.ts';
import { convolution, graphArtifacts, node, placeholder, type Constant } from '../support/tinyGraph.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

type Json = Record<string, unknown>;

const call = (name: string, node = 0) => [[name, node, 0, {}]];
const entry = (shape: unknown = [null, 4]) => layer('InputLayer', 'i', { batch_input_shape: shape }, []);

function layer(class_name: string, name: string, config: Json = {}, inbound_nodes: unknown[] = [call('i')]): Json {
  return { class_name, name, config: { name, ...config }, inbound_nodes };
}

function network(last: string, inner: Json[], node = 0): Json {
  const config = { name: 'm', layers: inner, input_layers: [['i', 0, 0]], output_layers: [[last, node, 0]] };
  return { class_name: 'Model', config };
}

const relu = (name = 'a', ...inbound: unknown[]) =>
  layer('Activation', name, { activation: 'relu' }, inbound.length > 0 ? inbound : [call('i')]);

const sequence = (...inner: Json[]): Json => ({ class_name: 'Sequential', config: { name: 's', layers: inner } });

function source(modelTopology: object, weightSpecs: tf.io.WeightsManifestEntry[] = []): tf.io.IOHandler {
  const numbers = weightSpecs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { load: () => Promise.resolve({ modelTopology, weightSpecs, weightData: new ArrayBuffer(4 * numbers) }) };
}

/** Models of one Activation each, called twice in the model around it. */
function doubled(depth: number, inner: Json = network('a', [entry(), relu()])): Json {
  if (depth === 0) return inner;
  return doubled(
    depth - 1,
    network('in', [entry(), { ...inner, name: 'in', inbound_nodes: [call('i'), call('in')] }], 1),
  );
}

function nested(depth: number): Json {
  let inner = sequence(layer('Activation', 'a', { activation: 'relu', batch_input_shape: [null, 4] }));
  for (let i = 0; i < depth; i++) inner = sequence({ ...inner, name: 's' });
  return inner;
}

const pictures = entry([null, 8, 8, 3]);

const refused: readonly [what: string, topology: Json, code: string, text: string, options?: LoadBaseOptions][] = [
  ['a call without inputs', network('b', [entry(), relu('a', []), relu('b', call('a'))]), 'NOT_A_MODEL', "'a' (Activation) that is called without an input"],
  ['a call whose input is no list', network('a', [entry(), relu('a', [1e9, 1e9])]), 'NOT_A_MODEL', 'called without an input'],
  ['two layers of one name', network('a', [entry(), relu(), relu()]), 'NOT_A_MODEL', "two layers named 'a'"],
  ['a circle', network('a', [entry(), relu('a', call('b')), relu('b', call('a'))]), 'NOT_A_MODEL', "an output 'a' that no layer computes"],
  ['a layer that reads itself', network('a', [entry(), relu('a', call('a'))]), 'NOT_A_MODEL', "an output 'a' that no layer computes"],
  ['no outputs', { class_name: 'Model', config: { name: 'm', layers: [entry()], input_layers: [['i', 0, 0]] } }, 'NOT_A_MODEL', 'a model without outputs'],
  ['20,000 models inside each other', nested(20_000), 'NOT_A_MODEL', 'at most 512 levels of nesting'],
  ['a model called 2^24 times', doubled(24), 'OUT_OF_RANGE', 'at most 10000 layers'],
  ['a negative input', network('a', [entry([null, -4]), relu()]), 'NOT_A_MODEL', "an input 'i' of shape [null,-4]"],
  ['an input of a fraction', network('a', [entry([null, 1.5]), relu()]), 'NOT_A_MODEL', "an input 'i' of shape [null,1.5]"],
  ['an input without a shape', network('a', [entry('wide'), relu()]), 'NOT_A_MODEL', "an input 'i' without a shape"],
  ['a huge input', network('a', [entry([null, 200_000, 200_000, 3]), relu()]), 'OUT_OF_RANGE', 'at most 268435456 values for one example'],
  ['a huge margin', network('a', [pictures, layer('ZeroPadding2D', 'a', { padding: 1e6 })]), 'OUT_OF_RANGE', "[2000008, 2000008, 3] at layer 'a' (ZeroPadding2D)"],
  ['strides of 0', network('a', [pictures, layer('MaxPooling2D', 'a', { pool_size: 2, strides: 0 })]), 'NOT_A_MODEL', 'strides'],
  ['a window larger than the picture', network('a', [pictures, layer('MaxPooling2D', 'a', { pool_size: 1e9, strides: 1 })]), 'NOT_A_MODEL', "at layer 'a' (MaxPooling2D)"],
  ['weights that no file holds', network('a', [pictures, layer('Conv2D', 'a', { filters: 2e7, kernel_size: 3 })]), 'OUT_OF_RANGE', 'got more, [3, 3, 3, 20000000] in one of them'],
  ['weights of another class that no file holds', network('a', [entry([null, 5, 4]), layer('LSTM', 'a', { units: 1e6 })]), 'OUT_OF_RANGE', 'whose weights are at most 16777216 numbers'],
  ['weights to draw', network('a', [pictures, layer('Conv2D', 'a', { filters: 2e7, kernel_size: 3 })]), 'OUT_OF_RANGE', 'at most 400000000 numbers', { weights: null }],
  ['weights to draw, more than allowed', network('a', [entry(), layer('Dense', 'a', { units: 1e7 })]), 'OUT_OF_RANGE', 'at most 17000000 numbers', { weights: null, maxParameters: 17e6, cut: 'a' }],
  ['weights without a size', network('a', [entry(), layer('Dense', 'a', { units: -5 })]), 'NOT_A_MODEL', 'units', { cut: 'a' }],
  ['a dilation of 0', network('a', [pictures, layer('Conv2D', 'a', { filters: 2, kernel_size: 3, dilation_rate: 0 })]), 'NOT_A_MODEL', 'dilation_rate of whole numbers from 1', { weights: null, cut: 'a' }],
  ['strides beyond 32 bits', network('a', [pictures, layer('Conv2D', 'a', { filters: 2, kernel_size: 3, strides: 2 ** 53 })]), 'NOT_A_MODEL', 'strides of whole numbers from 1', { weights: null, cut: 'a' }],
  ['filters that are a text', network('a', [pictures, layer('Conv2D', 'a', { filters: 'many', kernel_size: 3 })]), 'NOT_A_MODEL', 'filters', { weights: null, cut: 'a' }],
  ['a class that every object has', network('a', [entry(), layer('constructor', 'a')]), 'UNSUPPORTED_LAYER', "of class ''constructor''", { weights: null, cut: 'a' }],
  ['the class __proto__', network('a', [entry(), layer('__proto__', 'a')]), 'UNSUPPORTED_LAYER', "of class ''__proto__''", { weights: null, cut: 'a' }],
  ['an activation that every object has', network('a', [entry(), layer('Activation', 'a', { activation: 'toString' })]), 'UNSUPPORTED_LAYER', "got 'toString' in 'a'", { cut: 'a' }],
  ['an initialiser that every object has', network('a', [entry(), layer('Dense', 'a', { units: 2, kernel_initializer: 'valueOf' })]), 'UNSUPPORTED_LAYER', 'value_of', { weights: null, cut: 'a' }],
  ['a layer with weights as an activation', network('a', [entry(), layer('Dense', 'a', { units: 2, activation: { class_name: 'Dense', config: { units: 2 } } })]), 'UNSUPPORTED_LAYER', "got 'Dense' in 'a'", { weights: null, cut: 'a' }],
  ['an initialiser as an activation', network('a', [entry(), layer('Dense', 'a', { units: 2, activation: { class_name: 'Ones', config: {} } })]), 'UNSUPPORTED_LAYER', "got 'Ones' in 'a'", { weights: null, cut: 'a' }],
  ['a state from batch to batch', network('a', [entry([1, 5, 4]), layer('SimpleRNN', 'a', { units: 2, stateful: true })]), 'UNSUPPORTED_LAYER', 'takes a fixed number of examples', { weights: null }],
]; // prettier-ignore

test('a layer that cannot compute its inputs is named', async () => {
  // prettier-ignore
  const twice = network('a', [entry(), layer('ReLU', 'a', {}, [[['i', 0, 0, {}], ['i', 0, 0, {}]]])]);
  const base = await loadBase(source(twice), { cut: 'a' });
  const error = await raisedBy(() => tf.tidy(() => base.trunk.run(tf.ones([1, 4]))));
  expect(error).toMatchObject({ code: 'UNSUPPORTED_LAYER', details: { layer: 'a', className: 'ReLU' } });
  base.dispose();
});

describe('is refused immediately, and nothing leaks', () => {
  test.each(refused)('%s', async (_, topology, code, text, options = {}) => {
    await expectNoLeak(async () => {
      const loading = loadBase(source(topology), options);
      await expect(loading).rejects.toMatchObject({ code, message: expect.stringContaining(text) as string });
    });
  });
});

/** Topologies with an object of which no text and no number can be made in place of one value after the other. */
function spoiled(topology: object): Json[] {
  const text = JSON.stringify(topology);
  const count = text.match(/[:[,](?=["[{\d-]|null|true|false)/g)?.length ?? 0;
  return Array.from({ length: count }, (_, place) => {
    let seen = 0;
    const spoil = (key: string, value: unknown): unknown =>
      key !== '' && seen++ === place ? { toString: 1, valueOf: 1 } : value;
    return JSON.parse(text, spoil) as Json;
  });
}

describe('objects without a text instead of any value', () => {
  const shape = { shape: { dim: [{ size: '-1' }, { size: '4' }] } };
  const graph = {
    node: [
      { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape } } },
      { name: 'y', op: 'Relu', input: ['x'], attr: { T: { type: 'DT_FLOAT' } } },
    ],
    versions: { producer: 1 },
  };
  const convolution = layer('Conv2D', 'a', { filters: 2, kernel_size: 3, groups: 1, activation: 'relu' });
  test.each([
    ['layers', network('b', [pictures, convolution, relu('b', call('a'))])],
    ['a graph', graph],
  ])('%s', async (_, topology) => {
    const codes = new Set<unknown>();
    await expectNoLeak(async () => {
      for (const each of spoiled(topology)) {
        const base = await loadBase(source(each), { weights: null, seed: 1 }).catch((error: unknown) => {
          if (!isTransferKitError(error)) throw error;
          codes.add(error.code);
        });
        base?.dispose();
      }
    });
    expect([...codes]).toContain('NOT_A_MODEL');
  });
});

test('the signal stops the assignment of weights', async () => {
  // prettier-ignore
  const dense = Array.from({ length: 40 }, (_, i) => layer('Dense', `d${String(i)}`, { units: 600 }, [call(i === 0 ? 'i' : `d${String(i - 1)}`)]));
  const loading = loadBase(source(network('d39', [entry(), ...dense])), {
    weights: null,
    signal: AbortSignal.timeout(1),
  });
  await expect(loading).rejects.toMatchObject({ code: 'ABORTED' });
});

test('a network may have 2000 layers', async () => {
  const inner = Array.from({ length: 2000 }, (_, i) =>
    relu(`a${String(i)}`, call(i === 0 ? 'i' : `a${String(i - 1)}`)),
  );
  const base = await loadBase(source(network('a1999', [entry(), ...inner])));
  expect(base.trunk.stages.flatMap((stage) => stage.layers)).toHaveLength(2000);
  base.dispose();
});

describe('a batch axis that is fixed', () => {
  test('at one example is freed, and noted', async () => {
    const x = input({ batchShape: [1, 12, 12, 3], name: 'photo' });
    const features = layers.globalAveragePooling2d({}).apply(layers.conv2d({ filters: 4, kernelSize: 3 }).apply(x));
    const outputs = layers.dense({ units: 3, activation: 'softmax' }).apply(features) as SymbolicTensor;
    const base = await loadBase(model({ inputs: x, outputs }));
    expect(base.notes).toEqual(["The input 'photo' was fixed at one example at a time: it takes any number now."]);
    expect(base.trunk.input.shape).toEqual([null, 12, 12, 3]);
    const inputs = Array.from({ length: 8 }, (_, i) => tf.fill([12, 12, 3], i % 2));
    const transfer = replaceHead(base, { labels: ['dark', 'light'] });
    await trainHead(transfer, fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'dark' : 'light')) }));
    expect((await predict(transfer, inputs.slice(0, 2))).map(([first]) => first?.label)).toEqual(['dark', 'light']);
    transfer.dispose();
    tf.dispose(inputs);
  });

  test('in a Sequential too', async () => {
    const topology = sequence(layer('Activation', 'a', { activation: 'relu', batch_input_shape: [16, 4] }));
    const { notes, trunk } = await loadBase(source(topology));
    expect([notes, trunk.input.shape]).toEqual([
      ["The input 'a_input' was fixed at 16 examples at a time: it takes any number now."],
      [null, 4],
    ]);
    trunk.dispose();
  });
});

const float = { type: 'DT_FLOAT' };
const images = (...axes: number[]) => placeholder([-1, ...(axes.length > 0 ? axes : [8, 8, 3])]);
// prettier-ignore
const setting = (name: string, values: number[], shape = [values.length]): Constant => ({ name, values, shape, dtype: 'int32' });
const kernel: Constant = { name: 'k', shape: [3, 3, 3, 2], dtype: 'float32', values: new Array<number>(54).fill(0.1) };
const conv = (attr: object) => [images(), node('c', 'Conv2D', ['images', 'k'], { ...convolution, ...attr })];
const list = (...values: unknown[]) => ({ list: { i: values } });

function deep(levels: number): object {
  return levels === 0 ? {} : { a: deep(levels - 1) };
}

type Refusal = [what: string, nodes: unknown[], constants: Constant[], code: string, text: string, library?: object];

const argument = (name: string) => ({ name, type: 'DT_FLOAT' });
const itself = {
  function: [
    {
      signature: { name: 'f', inputArg: [argument('x')], outputArg: [argument('y')] },
      nodeDef: [node('again', 'PartitionedCall', ['x'], { f: { func: { name: 'f' } } })],
      ret: { y: 'again:output:0' },
    },
  ],
};

const graphs: readonly Refusal[] = [
  ['more nodes than any network has', new Array<object>(100_001).fill(node('n', 'Relu')), [], 'OUT_OF_RANGE', 'at most 100000 nodes, got 100001'],
  ['a huge input', [images(200_000, 200_000, 3), node('a', 'Relu', ['images'])], [], 'OUT_OF_RANGE', "[any, 200000, 200000, 3] at the input 'images'"],
  ['a huge margin', [images(), node('a', 'Pad', ['images', 'p'])], [setting('p', [0, 0, 1e6, 1e6, 1e6, 1e6, 0, 0], [4, 2])], 'OUT_OF_RANGE', "at node 'a' (Pad)"],
  ['a huge repetition', [images(), node('a', 'Tile', ['images', 't'])], [setting('t', [1, 1e5, 1e5, 1])], 'OUT_OF_RANGE', "[1, 100000, 100000, 1] at node 'a' (Tile)"],
  ['a huge picture', [images(), node('a', 'ResizeBilinear', ['images', 's'])], [setting('s', [1e5, 1e5])], 'OUT_OF_RANGE', "at node 'a' (ResizeBilinear)"],
  ['a huge constant', [images(), node('f', 'Fill', ['s', 'z']), node('a', 'Add', ['images', 'f'])], [setting('s', [1, 1e5, 1e5]), setting('z', [0], [])], 'OUT_OF_RANGE', "at node 'f' (Fill)"],
  ['a circle', [images(), node('a', 'Add', ['images', 'b']), node('b', 'Relu', ['a']), node('c', 'Relu', ['b'])], [], 'NOT_A_MODEL', 'without circles'],
  ['two nodes of one name', [images(), node('a', 'Relu', ['images']), node('a', 'Relu', ['images'])], [], 'NOT_A_MODEL', "two of name 'a'"],
  ['600 levels of nesting', [images(), node('a', 'Relu', ['images'], deep(600))], [], 'NOT_A_MODEL', 'at most 512 levels of nesting'],
  ['a node that is a text', [images(), 'Relu'], [], 'NOT_A_MODEL', 'node 1 of the graph'],
  ['a dilation of 0', conv({ dilations: list(1, 0, 0, 1) }), [kernel], 'UNSUPPORTED_SOURCE', "'c'"],
  ['strides of 0', conv({ strides: list(1, 0, 0, 1) }), [kernel], 'UNSUPPORTED_SOURCE', "'c'"],
  ['negative strides', conv({ strides: list(1, -1, -1, 1) }), [kernel], 'UNSUPPORTED_SOURCE', "'c'"],
  ['strides that are a text', conv({ strides: 'wide' }), [kernel], 'NOT_A_MODEL', 'a graph that tfjs can build'],
  ['a padding that is a number', conv({ padding: 5 }), [kernel], 'NOT_A_MODEL', 'a graph that tfjs can build'],
  ['a type that is a list', [node('images', 'Placeholder', [], { dtype: [1], shape: { shape: { dim: 'wide' } } }), node('a', 'Relu', ['images'])], [], 'INVALID_OPTION', 'Give inputSize'],
  ['a call of a function', [images(), node('a', 'PartitionedCall', ['images'], { T: float, f: { func: { name: 'f' } } })], [], 'UNSUPPORTED_SOURCE', 'PartitionedCall', itself],
  ['a branch by a function that calls itself', [images(), node('a', 'StatelessIf', ['images', 'images'], { then_branch: { func: { name: 'f' } }, else_branch: { func: { name: 'f' } } })], [], 'UNSUPPORTED_SOURCE', 'without control flow', itself],
  ['a library that is a text', [images(), node('a', 'Relu', ['images'])], [], 'NOT_A_MODEL', 'a graph that tfjs can build', { function: 'f' }],
]; // prettier-ignore

describe('a graph is refused immediately, and nothing leaks', () => {
  test.each(graphs)('%s', async (_, nodes, constants, code, text, library) => {
    const { modelTopology, ...weights } = graphArtifacts(nodes as object[], constants);
    const topology = { ...(modelTopology as object), library };
    const handler = { load: () => Promise.resolve({ ...weights, modelTopology: topology }) };
    const error = await raisedBy(() => loadBase(handler));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) as string });
  });
});
