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
import { expectNoLeak } from '../support/tensors.ts';

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
  ['a state from batch to batch', network('a', [entry([1, 5, 4]), layer('SimpleRNN', 'a', { units: 2, stateful: true })]), 'UNSUPPORTED_LAYER', 'takes a fixed number of examples', { weights: null }],
]; // prettier-ignore

describe('is refused, at once and with nothing left behind', () => {
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

describe('objects that have no text in place of any value', () => {
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

test('the signal is heard while weights are set', async () => {
  const dense = Array.from({ length: 40 }, (_, i) => layer('Dense', `d${String(i)}`, { units: 600 }, [call(i === 0 ? 'i' : `d${String(i - 1)}`)])); // prettier-ignore
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
