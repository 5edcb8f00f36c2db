// Recurrent, attention and normalisation layers of Keras: values against Keras from every form of file, true gradients,
// training, saving, and nothing left behind. What is not supported is refused by its name.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { fineTune, fromArrays, load, loadBase, replaceHead, save, trainHead, useBackend } from '../../src/index.ts';
import { checkTrunk } from '../../src/testing.ts';
import { expectTrueWeightGradients } from '../support/gradients.ts';
import { expectNoLeak, raisedBy } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

interface Golden {
  readonly topology: Record<string, unknown>;
  readonly shape: number[];
  readonly output: number[][];
}

const golden = fileURLToPath(new URL('../golden/', import.meta.url));
const cases = JSON.parse(readFileSync(`${golden}kerasLayers.json`, 'utf8')) as Record<string, Golden>;
const refused = JSON.parse(readFileSync(`${golden}kerasLayersRefused.json`, 'utf8')) as Record<string, object>;
/** Those that can be trained. */
const names = Object.keys(cases).filter((name) => name !== 'wider');
const path = (file: string) => `${golden}kerasLayers/${file}`;

beforeAll(async () => {
  await useBackend('wasm', { threads: 1 });
  const base = await loadBase(path('gru.keras'), { cut: 'last' });
  base.dispose();
});

function goldenOf(name: string): Golden {
  const found = cases[name];
  if (found === undefined) throw new Error(`no golden of ${name}`);
  return found;
}

function expectValues(found: ArrayLike<number>, { output }: Golden): void {
  const expected = output.flat();
  expect(found.length).toBe(expected.length);
  const differences = expected.map((value, i) => Math.abs(value - (found[i] ?? NaN)));
  expect(Math.max(...differences)).toBeLessThan(1e-5);
}

/** Keeps what is saved in memory. */
function keeper() {
  const kept: tf.io.ModelArtifacts[] = [];
  const handler: tf.io.IOHandler = {
    save: (artifacts) => {
      kept.push(artifacts);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
    load: () => Promise.resolve(kept.at(-1) ?? {}),
  };
  return handler;
}

const files = Object.keys(cases).flatMap((name) => (name === 'vit' ? ['vit.keras'] : [`${name}.keras`, `${name}.h5`]));

describe('a file of Keras', () => {
  test.each(files)('%s computes the values of Keras, and leaks nothing', async (file) => {
    const example = goldenOf(file.slice(0, file.lastIndexOf('.')));
    await expectNoLeak(async () => {
      const base = await loadBase(path(file), { cut: 'last' });
      const x = wave(example.shape, 1, 0.2);
      expectValues(
        tf.tidy(() => base.trunk.run(x).dataSync()),
        example,
      );
      x.dispose();
      base.dispose();
    });
  });
});

describe('a network with', () => {
  test.each(names)('%s fulfils the contract of trunks, with exact gradients', async (name) => {
    const { shape } = goldenOf(name);
    const x = wave(shape, 1, 0.2);
    await expectNoLeak(async () => {
      const { trunk } = await loadBase(path(`${name}.keras`), { cut: 'last' });
      expectTrueWeightGradients(trunk, x);
      expect((await checkTrunk(trunk, x)).failed).toEqual([]);
    });
    x.dispose();
  });

  test.each(names)('%s is trained and saved; tfjs alone and load give the same', async (name) => {
    const { shape } = goldenOf(name);
    const inputs = Array.from({ length: 6 }, (_, i) => wave(shape.slice(1), 1, i));
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => 'ab'.charAt(i % 2)) });
    await expectNoLeak(async () => {
      const model = replaceHead(await loadBase(path(`${name}.keras`), { cut: 'last' }), { labels: ['a', 'b'] });
      await trainHead(model, samples, { epochs: 1 });
      await fineTune(model, samples, { unfreeze: 'all', epochs: 1, learningRate: 1e-3 });
      const handler = keeper();
      await save(model, handler);
      const x = wave(shape, 1, 0.7);
      const expected = tf.tidy(() => tf.softmax(model.head.trunk.run(model.base.trunk.run(x))).dataSync());
      const plain = await loadLayersModel(handler);
      const found = tf.tidy(() => (plain.predict(x) as tf.Tensor).dataSync());
      const again = await load(handler);
      const loaded = tf.tidy(() => tf.softmax(again.head.trunk.run(again.base.trunk.run(x))).dataSync());
      expected.forEach((value, i) => {
        expect(found[i]).toBeCloseTo(value, 5);
        expect(loaded[i]).toBeCloseTo(value, 5);
      });
      plain.dispose();
      tf.dispose(x);
      again.dispose();
      model.dispose();
    });
    tf.dispose(inputs);
  });

  test.each(names)('%s gets first weights of its own without a file', async (name) => {
    const { topology, shape } = goldenOf(name);
    const artifacts = {
      modelTopology: { model_config: topology, keras_version: '3.15.1' },
      weightSpecs: [],
      weightData: new ArrayBuffer(0),
    };
    await expectNoLeak(async () => {
      const base = await loadBase({ load: () => Promise.resolve(artifacts) }, { cut: 'last', weights: null, seed: 3 });
      const x = wave(shape, 1, 0.2);
      const values = tf.tidy(() => [...base.trunk.run(x).dataSync()]);
      expect(values.every(Number.isFinite) && values.some((value) => value !== 0)).toBe(true);
      x.dispose();
      base.dispose();
    });
  });
});

test('dropout inside a cell leaks nothing, and is off', async () => {
  const modelTopology = changed('cells', 'masks', { dropout: 0.5, recurrent_dropout: 0.5 }) as object;
  const artifacts = { modelTopology, weightSpecs: [], weightData: new ArrayBuffer(0) };
  await expectNoLeak(async () => {
    const base = await loadBase({ load: () => Promise.resolve(artifacts) }, { cut: 'last', weights: null });
    const x = wave(goldenOf('cells').shape, 1, 0.2);
    const [once, again] = [tf.tidy(() => base.trunk.run(x).dataSync()), tf.tidy(() => base.trunk.run(x).dataSync())];
    expect(again).toEqual(once);
    tf.dispose(x);
    base.dispose();
  });
});

test('layers that tfjs cannot differentiate are refused before anything is trained', async () => {
  const base = await loadBase(path('wider.keras'), { cut: 'last' });
  const model = replaceHead(base, { labels: ['a', 'b'] });
  const inputs = Array.from({ length: 6 }, (_, i) => wave(goldenOf('wider').shape.slice(1), 1, i));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => 'ab'.charAt(i % 2)) });
  for (const unfreeze of ['wide', 'wider']) {
    const raised = await raisedBy(() => fineTune(model, samples, { unfreeze }));
    expect(raised).toMatchObject({
      code: 'UNSUPPORTED_LAYER',
      message: expect.stringContaining(`'${unfreeze}'`) as string,
    });
  }
  await fineTune(model, samples, { unfreeze: 'series', epochs: 1 });
  tf.dispose(inputs);
  model.dispose();
});

/** The topology of a golden model with another configuration, or another call, of one layer. */
function changed(name: string, layer: string, config: object, kwargs?: object): unknown {
  const { topology } = structuredClone(goldenOf(name));
  const described = topology as { config: { layers: Record<string, unknown>[] } };
  const found = described.config.layers.find(
    (each) => each.name === layer || (each.config as { name: string }).name === layer,
  );
  if (found === undefined) throw new Error(`no layer ${layer}`);
  Object.assign(found.config as object, config);
  if (kwargs !== undefined) Object.assign((found.inbound_nodes as { kwargs: object }[])[0]?.kwargs ?? {}, kwargs);
  return { model_config: topology, keras_version: '3.15.1' };
}

describe('is refused by name, before weights are read', () => {
  test.each([
    ['SeparableConv1D', "got 'odd' of class 'SeparableConv1D'"],
    ['GlobalAveragePooling3D', "got 'odd' of class 'GlobalAveragePooling3D'"],
    ['Max', "of class 'Max'"],
  ])('%s', async (name, text) => {
    const raised = await raisedBy(() => loadBase(path(`refused${name}.keras`), { cut: 'last' }));
    expect(raised).toMatchObject({ code: 'UNSUPPORTED_LAYER', message: expect.stringContaining(text) as string });
  });

  test.each(Object.entries(refused))('%s', async (name, modelTopology) => {
    const artifacts = { modelTopology, weightSpecs: [], weightData: new ArrayBuffer(0) };
    const raised = await raisedBy(() => loadBase({ load: () => Promise.resolve(artifacts) }, { cut: 'last' }));
    const text = name.replace(', too', '');
    expect(raised).toMatchObject({ code: 'UNSUPPORTED_LAYER', message: expect.stringContaining(text) as string });
  });

  test.each<[string, unknown, string]>([
    [
      'attention over other axes',
      changed('multiHeadAttention', 'own', { attention_axes: [2] }),
      'MultiHeadAttention(attention_axes)',
    ],
    [
      'attention with another score',
      changed('attention', 'plain', { score_mode: 'odd' }),
      'Attention(score_mode "odd")',
    ],
    [
      'a causal mask',
      changed('multiHeadAttention', 'own', {}, { use_causal_mask: true }),
      'is called with use_causal_mask',
    ],
    ['scores', changed('multiHeadAttention', 'own', {}, { return_attention_scores: true }), 'gives its scores away'],
    ['a GRU that keeps its state', changed('gru', 'first', { stateful: true }), 'GRU(stateful)'],
    // prettier-ignore
    ['a way back of its own', changed('bidirectionalGru', 'both', { backward_layer: { class_name: 'GRU', config: {} } }), 'Bidirectional(backward_layer)'],
    [
      'a wrapped layer',
      changed('bidirectionalGru', 'both', {
        layer: { class_name: 'Odd', config: { name: 'odd' } },
        backward_layer: null,
      }),
      "'Odd'",
    ],
    ['LayerNormalization by root mean square', changed('vit', 'norm', { rms_scaling: true }), 'rms_scaling'],
  ])('%s', async (_, modelTopology, text) => {
    const artifacts = { modelTopology: modelTopology as object, weightSpecs: [], weightData: new ArrayBuffer(0) };
    const raised = await raisedBy(() =>
      loadBase({ load: () => Promise.resolve(artifacts) }, { cut: 'last', weights: null }),
    );
    expect(raised).toMatchObject({ code: 'UNSUPPORTED_LAYER', message: expect.stringContaining(text) as string });
  });
});
