// Weights of networks that were built a second time in one process of Keras 2.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBase } from '../../src/index.ts';
import { withoutSuffixes } from '../../src/formats/tfjs/suffixes.ts';
import { relativeError } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const dense = (name: string, units: number, inputs?: number) => ({
  class_name: 'Dense',
  config: { name, units, ...(inputs !== undefined && { batch_input_shape: [null, inputs] }) },
});
const network = (...layers: object[]) => ({
  model_config: { class_name: 'Sequential', config: { name: 's', layers } },
});
const weights = (scope: string, inputs: number, units: number) => [
  { name: `${scope}/kernel`, shape: [inputs, units], dtype: 'float32' as const },
  { name: `${scope}/bias`, shape: [units], dtype: 'float32' as const },
];
const namesOf = (specs: ReturnType<typeof weights>, topology: unknown) =>
  withoutSuffixes(specs, topology).map(({ name }) => name.replace(/\/.*/, ''));

describe('suffixes of scopes', () => {
  test.each([
    ['all of them', ['dense_3_1', 'dense_4_1'], ['dense_3', 'dense_4']],
    ['one of them', ['dense_3_12', 'dense_4'], ['dense_3', 'dense_4']],
    ['none', ['dense_3', 'dense_4'], ['dense_3', 'dense_4']],
    ['another name', ['other', 'dense_4'], ['other', 'dense_4']],
  ])('%s', (_, [a = '', b = ''], [first = '', second = '']) => {
    const topology = network(dense('dense_3', 2, 3), dense('dense_4', 4));
    const specs = [...weights(a, 3, 2), ...weights(b, 2, 4)];
    expect(namesOf(specs, topology)).toEqual([first, first, second, second]);
    expect(namesOf(specs.slice(2), topology)).toEqual([second, second]);
  });

  test('a suffixed name that is the name of another layer is resolved by order and shapes', () => {
    const topology = network(dense('dense', 3, 3), dense('dense_1', 3));
    const specs = [...weights('dense_1', 3, 3), ...weights('dense_1_1', 3, 3)];
    expect(namesOf(specs, topology)).toEqual(['dense', 'dense', 'dense_1', 'dense_1']);
    // In another order nobody can tell: they stay, and the layer without weights is an error.
    expect(namesOf([...specs.slice(2), ...specs.slice(0, 2)], topology)).toEqual([
      ...['dense_1_1', 'dense_1_1'],
      ...['dense_1', 'dense_1'],
    ]);
  });

  test('two names for one layer stay unchanged', () => {
    const topology = network(dense('dense', 3, 3), dense('last', 3));
    const specs = [...weights('dense_1', 3, 3), ...weights('dense_2', 3, 3), ...weights('last', 3, 3)];
    expect(namesOf(specs, topology)).toEqual(specs.map(({ name }) => name.replace(/\/.*/, '')));
  });
});

describe('a whole model.json with suffixes', () => {
  const built = () =>
    sequential({
      layers: [
        layers.conv2d({ name: 'conv2d_10', filters: 2, kernelSize: 1, inputShape: [3, 3, 3] }),
        layers.conv2d({ name: 'conv2d_11', filters: 2, kernelSize: 1 }),
        layers.flatten({ name: 'flatten' }),
      ],
    });

  /** What the model gives, and its artefact with other scopes. */
  async function saved(scopes: Readonly<Record<string, string>>) {
    const model = built();
    model.setWeights(model.getWeights().map((weight, i) => wave(weight.shape, 0.5, i)));
    let artifacts: tf.io.ModelArtifacts | undefined;
    await model.save({
      save: (made) => {
        artifacts = made;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
      },
    });
    const output = model.predict(wave([2, 3, 3, 3], 1, 0.2));
    if (artifacts === undefined || Array.isArray(output)) throw new RangeError('nothing saved');
    const weightSpecs = (artifacts.weightSpecs ?? []).map((spec) => {
      const [layer = '', own = ''] = spec.name.split('/');
      return { ...spec, name: `${scopes[layer] ?? layer}/${own}` };
    });
    return { artifacts: { ...artifacts, weightSpecs }, output };
  }

  test.each([
    ['all', { conv2d_10: 'conv2d_10_1', conv2d_11: 'conv2d_11_1' }],
    ['one', { conv2d_10: 'conv2d_10_1' }],
    ['the next name', { conv2d_10: 'conv2d_10_2', conv2d_11: 'conv2d_11' }],
  ])('%s: the values are those of the model', async (_, scopes) => {
    const { artifacts, output } = await saved(scopes);
    const base = await loadBase(tf.io.fromMemory(artifacts), { preprocess: 'tf', cut: 'flatten' });
    expect(relativeError(base.trunk.run(wave([2, 3, 3, 3], 1, 0.2)), output)).toBeLessThan(1e-6);
    base.dispose();
  });

  test('two scopes that both may be one layer are refused, and named', async () => {
    const { artifacts } = await saved({ conv2d_10: 'conv2d_10_1', conv2d_11: 'conv2d_10_2' });
    await expect(loadBase(tf.io.fromMemory(artifacts), { preprocess: 'tf', cut: 'flatten' })).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringContaining('conv2d_10/kernel') as string,
    });
  });
});
