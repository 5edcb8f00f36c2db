// What classifiers keep, as plain data and back; and the features themselves.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  knn,
  loadBase,
  nearestCentroid,
  useBackend,
  type Base,
  type ExampleClassifier,
  type ExampleSet,
  type Pooling,
} from '../../src/index.ts';
import { freeOpened, pictureBase, pictures, vectorBase } from '../support/exampleBases.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { tinySamples } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const open = freeOpened();

async function filled(base: Base, pooling?: Pooling): Promise<ExampleClassifier> {
  const classifier = open(await knn(base, { k: 3, ...(pooling && { pooling }) }));
  await classifier.addAll(tinySamples(2));
  return classifier;
}

/** Through JSON. */
function written(classifier: ExampleClassifier): ExampleSet {
  return JSON.parse(JSON.stringify(classifier)) as ExampleSet;
}

describe('features', () => {
  test.each<[string, Pooling | undefined, (map: tf.Tensor) => tf.Tensor]>([
    ['relu2', undefined, (map) => tf.mean(map, [1, 2])],
    ['relu2', 'average', (map) => tf.mean(map, [1, 2])],
    ['relu2', 'max', (map) => tf.max(map, [1, 2])],
    ['relu2', 'both', (map) => tf.concat([tf.mean(map, [1, 2]), tf.max(map, [1, 2])], 1)],
    ['relu2', 'flatten', (map) => tf.reshape(map, [1, -1])],
    ['gap', undefined, (vector) => vector],
  ])('cut at %s, pooling %s: outputs of the base for the preprocessed input', async (cut, pooling, pool) => {
    const base = open(await pictureBase(cut));
    const classifier = open(await knn(base, pooling === undefined ? {} : { pooling }));
    const [{ input } = { input: new Float32Array(0) }] = pictures(1);
    await expectNoLeak(() => classifier.add(input, 'one'));
    const { examples, origin } = classifier.toJSON();
    const expected = tf.tidy(() => Array.from(pool(base.trunk.run(tf.tensor4d(input, [1, 16, 16, 3]))).dataSync()));
    expect(origin.width).toBe(expected.length);
    examples[0]?.features.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 5);
    });
  });
});

describe('plain data', () => {
  test('brings back every bit, ids included', async () => {
    const base = open(await pictureBase());
    const first = await filled(base);
    first.remove(5);
    first.remove(2);
    const again = open(await knn(base, { k: 3, examples: written(first) }));
    expect(again.toJSON()).toEqual(first.toJSON());
    expect([again.examples, again.labels]).toEqual([first.examples, first.labels]);
    const inputs = pictures(5, 4).map(({ input }) => input);
    expect(await again.predict(inputs)).toEqual(await first.predict(inputs));
    again.remove(4);
    expect(await again.add(inputs[0], 'plain')).toBe(6);
    expect(first.size).toBe(4);
  });

  test('values survive as float32, however small or large', async () => {
    const base = open(await vectorBase(6));
    const classifier = open(await knn(base));
    const values = Float32Array.of(0.1, -1 / 3, 1.17549435e-38, 1e-45, 3.4028234e38, 16777217);
    await classifier.add(values, 'x');
    expect(Float32Array.from(written(classifier).examples[0]?.features ?? [])).toEqual(values);
  });

  test('serves both kinds of classifiers', async () => {
    const base = open(await pictureBase());
    const first = await filled(base);
    const other = open(await nearestCentroid(base, { examples: written(first) }));
    expect(other.toJSON()).toEqual(first.toJSON());
    expect(await other.predict(pictures(1)[0]?.input)).toHaveLength(3);
  });

  test('says which pooling it needs', async () => {
    const base = open(await pictureBase());
    const set = written(await filled(base, 'max'));
    expect(open(await knn(base, { examples: set })).toJSON().origin.pooling).toBe('max');
    await expectNoLeak(() =>
      expect(knn(base, { examples: set, pooling: 'both' })).rejects.toMatchObject({
        code: 'EXAMPLES_MISMATCH',
        message: expect.stringContaining('pooling ("both" here, "max" there); width (24 here, 12 there)') as string,
      }),
    );
  });

  test('an empty one is no obstacle', async () => {
    const base = open(await pictureBase());
    const empty = open(await knn(base));
    const again = open(await knn(base, { examples: written(empty) }));
    expect([again.size, await again.add(pictures(1)[0]?.input, 'a')]).toEqual([0, 0]);
  });

  test('stays readable when the classifier is disposed', async () => {
    const first = await filled(open(await pictureBase()));
    const before = written(first);
    first.dispose();
    expect(written(first)).toEqual(before);
  });
});

describe('features of another base are refused', () => {
  test.each<[string, (base: Base) => Promise<Base> | Base, string]>([
    [
      'another cut',
      async () => pictureBase('block_1_add'),
      'cut ("block_1_add" here, "relu2" there); width (8 here, 12 there)',
    ],
    [
      'other preprocessing',
      async (base) => {
        const source = sequential({ name: 'tiny' });
        source.add(layers.conv2d({ name: 'relu2', filters: 12, kernelSize: 3, inputShape: [16, 16, 3] }));
        const other = await loadBase(source, { cut: 'relu2', preprocess: 'tf', inputSize: 16 });
        source.dispose();
        return {
          ...base,
          trunk: other.trunk,
          preprocessor: other.preprocessor,
          dispose: () => {
            other.dispose();
          },
        };
      },
      'preprocessor.kind ("image" here, "tensor" there)',
    ],
    [
      'other weights',
      async () => {
        const other = await pictureBase();
        const weight = other.trunk.weights.find(({ name }) => name === 'conv2/kernel');
        const value = tf.tidy(() => tf.mul(weight?.variable ?? 0, 1.01));
        weight?.write(value);
        value.dispose();
        return other;
      },
      'the weights of the base',
    ],
  ])('%s', async (_, make, text) => {
    const base = open(await pictureBase());
    const set = written(await filled(base));
    const other = open(await make(base));
    const error = await expectNoLeak(() => knn(other, { examples: set }).catch((raised: unknown) => raised));
    expect(error).toMatchObject({ code: 'EXAMPLES_MISMATCH', message: expect.stringContaining(text) as string });
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^\[transferkit\] knn: expected examples whose features come from 'tiny' as it is now, got/,
      ) as string,
    });
  });

  test('however deep or many the differences are', async () => {
    const base = open(await pictureBase());
    const set = written(await filled(base));
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`n${String(i)}`, i]));
    for (const [origin, text] of [
      [
        { ...set.origin, base: { toString: 1 }, cut: deep },
        'cut ("relu2" here, a list of more than 100 levels there). Load',
      ],
      [{ ...set.origin, ...many }, 'n9 (nothing here, 9 there); and 4990 more. Load'],
    ] as const) {
      const examples = { ...set, origin } as unknown as ExampleSet;
      const error: unknown = await knn(base, { examples }).catch((raised: unknown) => raised);
      expect(error).toMatchObject({ code: 'EXAMPLES_MISMATCH', message: expect.stringContaining(text) as string });
    }
  });

  test('another name, and weights that half precision has rounded, are no difference', async () => {
    const base = open(await pictureBase());
    const set = written(await filled(base));
    const weights = set.origin.weights.map((value) => value * (1 + 2 ** -11));
    const renamed = { ...set, origin: { ...set.origin, base: 'other', weights } };
    expect(open(await knn(base, { examples: renamed })).size).toBe(6);
  });
});

describe('other data is refused', () => {
  const spoil: [string, (set: ExampleSet) => unknown, string][] = [
    ['text', () => 'kept.json', 'expected examples to be the result of toJSON of a classifier, got string.'],
    ['a list', (set) => set.examples, 'got a list.'],
    ['another object', () => ({ labels: [] }), 'got an object with labels.'],
    ['another version', (set) => ({ ...set, version: 2 }), 'got an object with version, origin, nextId, examples.'],
    [
      'a missing feature',
      (set) => first(set, { features: set.examples[0]?.features.slice(1) }),
      '12 finite features, got another at place 0.',
    ],
    [
      'features that are no numbers',
      (set) => first(set, { features: new Array(12).fill(null) }),
      'got another at place 0.',
    ],
    ['no label', (set) => first(set, { label: '' }), 'got another at place 0.'],
    ['an id that is there twice', (set) => first(set, { id: 1 }), 'got another at place 1.'],
    ['an id that is no number', (set) => first(set, { id: '0' }), 'got another at place 0.'],
    ['a next id that was given out', (set) => ({ ...set, nextId: 5 }), 'expected nextId to be above every id, got 5.'],
  ];

  function first(set: ExampleSet, changes: object): object {
    return { ...set, examples: set.examples.map((each, i) => (i === 0 ? { ...each, ...changes } : each)) };
  }

  test.each(spoil)('%s', async (_, change, text) => {
    const base = open(await pictureBase());
    const examples = change(written(await filled(base))) as ExampleSet;
    const error = await expectNoLeak(() => nearestCentroid(base, { examples }).catch((raised: unknown) => raised));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(text) as string });
  });
});
