// load for classifiers that transferkit did not save: the head that they have, under the names that lie beside it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { layers, loadLayersModel, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  fromArrays,
  load,
  predict,
  save,
  toGraphModel,
  useBackend,
  type AnyModel,
  type TransferModel,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { tinyGraph, tinyLayers } from './support/tinyGraph.ts';
import { expectNoLeak } from './support/tensors.ts';
import { setWeights, tinyModel, wave } from './support/tinyModel.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-load-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeAll(async () => {
  await useBackend('cpu');
});

let folders = 0;
const folder = () => join(root, `model-${String(folders++)}`);
const five = ['ant', 'bee', 'cat', 'dog', 'eel'];
const image = (size: number) => wave([size, size, 3], 0.8, 1);

/** What tfjs itself gives for one example. */
async function plain(model: LayersModel, input: tf.Tensor): Promise<number[]> {
  const output = tf.tidy(() => model.predict(tf.expandDims(input)) as tf.Tensor);
  const values = [...(await output.data())];
  output.dispose();
  return values;
}

/** Probabilities in the order of the labels. */
async function probabilities(model: AnyModel, input: tf.Tensor): Promise<number[]> {
  const found = (await predict(model as TransferModel<'classes'>, input)) as { label: string; probability: number }[];
  const labels = model.labels as readonly string[];
  return labels.map((label) => found.find((each) => each.label === label)?.probability ?? NaN);
}

function expectClose(received: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
  expect(received.length).toBe(expected.length);
  received.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(tolerance);
  });
}

/** A network of one convolution with a given end. */
function ending(...end: layers.Layer[]): LayersModel {
  const conv = layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 3], name: 'conv' });
  const model = sequential({ layers: [conv, ...end] });
  setWeights(model);
  return model;
}

describe('a network of layers keeps its head', () => {
  test('from a folder: same probabilities, base frozen, head not; fine-tuned, saved, loaded by tfjs alone', async () => {
    const source = tinyModel();
    const input = image(16);
    const expected = await plain(source, input);
    const directory = folder();
    await source.save(fileSystem(directory));

    const model = await load(directory, { labels: five, task: 'classes' });
    expect(model.base.cut).toBe('relu2');
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    expect(model.head.trunk.weights.map(({ name, frozen }) => [name, frozen])).toEqual([
      ['classifier/kernel', false],
      ['classifier/bias', false],
    ]);
    expectClose(await probabilities(model, input), expected);

    const samples = fromArrays({ inputs: five.map(() => input), targets: five });
    const log = await fineTune(model, samples, { epochs: 1, unfreeze: 'conv2' });
    expect(log.epochs.length).toBe(1);
    const trained = await probabilities(model, input);
    const saved = folder();
    await save(model, fileSystem(saved));
    const again = await loadLayersModel(fileSystem(saved));
    expectClose(await plain(again, input), trained);
    const { accuracy } = await evaluate(model, samples);
    expect(accuracy).toBeGreaterThanOrEqual(0);
    for (const each of [source, model, again, input]) each.dispose();
  });

  test.each<[string, () => layers.Layer[], string, readonly string[]]>([
    [
      'a Softmax layer',
      () => [layers.globalAveragePooling2d({}), layers.dense({ units: 2 }), layers.softmax()],
      'classes',
      ['a', 'b'],
    ],
    [
      'an activation with a Reshape behind it, as in MobileNetV1',
      () => [
        layers.globalAveragePooling2d({}),
        layers.reshape({ targetShape: [1, 1, 4] }),
        layers.conv2d({ filters: 3, kernelSize: 1 }),
        layers.activation({ activation: 'softmax' }),
        layers.reshape({ targetShape: [3] }),
      ],
      'classes',
      ['a', 'b', 'c'],
    ],
    [
      'one sigmoid',
      () => [layers.flatten(), layers.dense({ units: 1, activation: 'sigmoid' })],
      'binary',
      ['no', 'yes'],
    ],
    [
      'several sigmoids',
      () => [layers.flatten(), layers.dense({ units: 3, activation: 'sigmoid' })],
      'multiLabel',
      ['a', 'b', 'c'],
    ],
    [
      'a convolution with the pooling behind it, as in SqueezeNet',
      () => [
        layers.conv2d({ filters: 3, kernelSize: 1, activation: 'relu' }),
        layers.globalAveragePooling2d({}),
        layers.softmax(),
      ],
      'classes',
      ['a', 'b', 'c'],
    ],
  ])('%s', async (_, end, task, labels) => {
    const source = ending(...end());
    const input = image(8);
    const expected = await plain(source, input);
    const model = (await load(source, { task: task as 'classes', labels })) as AnyModel;
    expect(model.head.task).toBe(task);
    const found = await probabilities(model, input);
    expectClose(task === 'binary' ? found.slice(1) : found, expected);
    for (const each of [source, model, input]) each.dispose();
  });

  test('outputs without activation are logits of the requested task, or the numbers of a regression', async () => {
    const source = ending(layers.flatten(), layers.dense({ units: 2 }));
    const input = image(8);
    const logits = await plain(source, input);
    const classes = await load(source, { labels: ['a', 'b'] });
    const exps = logits.map((each) => Math.exp(each));
    expectClose(
      await probabilities(classes, input),
      exps.map((each) => each / (exps[0]! + exps[1]!)),
    );
    const regression = await load(source, { task: 'regression', labels: ['width', 'height'] });
    const values = await predict(regression, input);
    expect(values.map(({ output }) => output)).toEqual(['width', 'height']);
    expectClose(
      values.map(({ value }) => value),
      logits,
    );
    for (const each of [source, classes, regression, input]) each.dispose();
  });

  test('a preset with ImageNet’s names', async () => {
    const model = await load('mobilenet', { weights: null, alpha: 0.25 });
    expect(model.labels.length).toBe(1000);
    expect([0, 1, 281, 285, 999].map((index) => model.labels[index])).toEqual([
      'tench',
      'goldfish',
      'tabby',
      'Egyptian cat',
      'toilet tissue',
    ]);
    expect(model.base.preprocessor.spec).toMatchObject({ kind: 'image', mode: 'tf', size: [224, 224] });
    expect(model.head.trained).toBe(false);
    model.dispose();
  });
});

describe('a GraphModel keeps its head', () => {
  test('its classifier becomes layers: same probabilities, fine-tuned, saved, loaded by tfjs alone', async () => {
    const twin = tinyLayers();
    const input = image(8);
    const scaled = tf.tidy(() => tf.sub(tf.mul(input, 2), 1));
    const expected = await plain(twin, scaled);
    const model = await load(tinyGraph(), { labels: five });
    expectClose(await probabilities(model, input), expected);
    const samples = fromArrays({ inputs: five.map(() => input), targets: five });
    await fineTune(model, samples, { epochs: 1, unfreeze: 'all' });
    const trained = await probabilities(model, input);
    const directory = folder();
    await save(model, fileSystem(directory));
    const again = await loadGraphModel(fileSystem(directory));
    const output = tf.tidy(() => again.execute(tf.expandDims(input), 'probabilities') as tf.Tensor);
    expectClose([...(await output.data())], trained);
    for (const each of [twin, model, again, input, scaled, output]) each.dispose();
  });

  test('what toGraphModel wrote contains labels and preprocessing', async () => {
    const source = tinyModel();
    const input = image(16);
    const model = await load(source, { labels: five });
    const graph = await toGraphModel(model);
    const directory = folder();
    await graph.save(fileSystem(directory));
    const again = await load(directory);
    expect(again.labels).toEqual(five);
    expectClose(await probabilities(again, input), await probabilities(model, input), 1e-5);
    for (const each of [source, model, graph, again, input]) each.dispose();
  });
});

describe('names and preprocessing in other files', () => {
  test('Teachable Machine', async () => {
    const source = ending(layers.globalAveragePooling2d({}), layers.dense({ units: 2, activation: 'softmax' }));
    const directory = folder();
    await source.save(fileSystem(directory));
    const metadata = { packageName: '@teachablemachine/image', labels: ['cat', 'dog'], imageSize: 8 };
    writeFileSync(join(directory, 'metadata.json'), JSON.stringify(metadata));
    const model = await load(directory);
    expect(model.labels).toEqual(['cat', 'dog']);
    expect(model.base.preprocessor.spec).toMatchObject({ kind: 'image', mode: 'tf', fit: 'cover', size: [8, 8] });
    const pixels = tf.fill([8, 8, 3], 255);
    const ones = tf.ones([8, 8, 3]);
    expectClose(await probabilities(model, pixels), await plain(source, ones));
    for (const each of [source, model, pixels, ones]) each.dispose();
  });

  test('ml5', async () => {
    const source = ending(layers.globalAveragePooling2d({}), layers.dense({ units: 2, activation: 'softmax' }));
    let artifacts: tf.io.ModelArtifacts = {};
    await source.save(
      tf.io.withSaveHandler((given) => {
        artifacts = given;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
      }),
    );
    const directory = folder();
    await source.save(fileSystem(directory));
    const json = {
      modelTopology: artifacts.modelTopology,
      weightsManifest: [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }],
      ml5Specs: { mapStringToIndex: ['up', 'down'] },
    };
    writeFileSync(join(directory, 'weights.bin'), new Uint8Array(artifacts.weightData as ArrayBuffer));
    writeFileSync(join(directory, 'model.json'), JSON.stringify(json));
    const model = await load(directory);
    expect(model.labels).toEqual(['up', 'down']);
    expect(model.base.preprocessor.spec).toMatchObject({ kind: 'image', mode: 'tf', fit: 'cover' });
    for (const each of [source, model]) each.dispose();
  });
});

test.each([
  ['softmax', 3, ['a', 'b', 'c'], 'classes'],
  ['sigmoid', 1, ['a', 'b'], 'binary'],
  ['sigmoid', 3, ['a', 'b', 'c'], 'multiLabel'],
  [undefined, 3, ['a', 'b', 'c'], 'classes'],
] as const)('the last activation %s of %i outputs determines the task', async (activation, units, labels, task) => {
  const source = ending(layers.flatten(), layers.dense({ units, ...(activation && { activation }) }));
  const model = await load(source, { labels });
  expect([model.task, model.head.task]).toEqual([task, task]);
  model.dispose();
  source.dispose();
});

describe('what cannot be loaded is refused, and nothing leaks', () => {
  const dense = (units: number, activation?: 'softmax' | 'sigmoid' | 'tanh') =>
    layers.dense({ units, ...(activation && { activation }) });

  test.each<[string, () => LayersModel, object, string, RegExp]>([
    ['no labels', tinyModel, {}, 'INVALID_OPTION', /expected 5 labels for 5 outputs .* got none/],
    ['too few labels', tinyModel, { labels: ['a', 'b'] }, 'INVALID_OPTION', /expected 5 labels for 5 outputs .* got 2/],
    ['ImageNet’s for five outputs', tinyModel, { labels: 'imagenet' }, 'INVALID_OPTION', /expected 5 labels/],
    ['another task', tinyModel, { task: 'multiLabel', labels: five }, 'INVALID_OPTION', /or give 'classes'/],
    ['several heads', tinyModel, { task: { a: 'classes' }, labels: five }, 'INVALID_OPTION', /or give 'classes'/],
    [
      'sigmoids with the task of a softmax',
      () => ending(layers.flatten(), dense(2, 'sigmoid')),
      { labels: ['a', 'b'], task: 'classes' },
      'INVALID_OPTION',
      /or give 'multiLabel'/,
    ],
    [
      'another activation',
      () => ending(layers.flatten(), dense(2, 'tanh')),
      { labels: ['a', 'b'] },
      'UNSUPPORTED_SOURCE',
      /'tanh' at its end/,
    ],
    ['no classifier', () => ending(), { labels: ['a', 'b'] }, 'UNSUPPORTED_SOURCE', /no classifier at its end/],
    [
      'a map of classes',
      () => ending(dense(2, 'softmax')),
      { labels: ['a', 'b'] },
      'WRONG_SHAPE',
      /one row of numbers/,
    ],
  ])('%s', async (_, make, options, code, text) => {
    const source = make();
    await expectNoLeak(async () => {
      await expect(load(source, options)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(text) as string,
      });
    });
    source.dispose();
  });

  test('labels for a model that has its own', async () => {
    const source = tinyModel();
    const model = await load(source, { labels: five });
    const directory = folder();
    await save(model, fileSystem(directory));
    await expect(load(directory, { labels: five })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    for (const each of [source, model]) each.dispose();
  });

  test('load and dispose leak nothing', async () => {
    const source = tinyModel();
    const twin = tinyLayers();
    const handler = tinyGraph();
    await expectNoLeak(async () => {
      (await load(source, { labels: five })).dispose();
      (await load(handler, { labels: five })).dispose();
    });
    for (const each of [source, twin]) each.dispose();
  });
});
