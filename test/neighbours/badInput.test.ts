// Bad input for classifiers that keep examples: a clear error, no tensor lost, and what was kept is as before.
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  fromArrays,
  isTransferKitError,
  knn,
  loadBase,
  nearestCentroid,
  useBackend,
  type AddOptions,
  type Base,
  type ExampleClassifier,
  type KnnOptions,
  type NearestCentroidOptions,
  type PredictOptions,
  type Progress,
  type Samples,
} from '../../src/index.ts';
import { freeOpened, pictureBase, pictures, vectorBase } from '../support/exampleBases.ts';
import { raisedBy } from '../support/tensors.ts';
import { tinySamples } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const open = freeOpened();

/** Asserts that something is refused with a code and a text. */
async function refused(act: () => unknown, code: string, text: string): Promise<void> {
  const error = await raisedBy(act);
  if (!isTransferKitError(error)) throw error;
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)]);
  expect(error.message).toMatch(/^\[transferkit\] \w/);
}

/** The same, and what the classifier keeps is as before. */
async function refusedBy(classifier: ExampleClassifier, act: () => unknown, code: string, text: string): Promise<void> {
  const before = [classifier.toJSON().examples, classifier.labels];
  await refused(act, code, text);
  expect([classifier.toJSON().examples, classifier.labels]).toEqual(before);
}

describe('making one', () => {
  test.each<[unknown, string]>([
    [{ k: 0 }, 'knn: expected k to be a whole number from 1, got 0.'],
    [{ k: 2.5 }, 'knn: expected k to be a whole number from 1, got 2.5.'],
    [{ distance: 'manhattan' }, "knn: expected distance to be 'cosine' or 'euclidean', got 'manhattan'."],
    [{ weights: 'gaussian' }, "knn: expected weights to be 'uniform' or 'distance', got 'gaussian'."],
    [{ pooling: 'mean' }, "knn: expected pooling to be 'average', 'max', 'both' or 'flatten', got 'mean'."],
  ])('knn with %j', async (options, text) => {
    const base = open(await pictureBase());
    await refused(() => knn(base, options as KnnOptions), 'INVALID_OPTION', text);
  });

  test('nearestCentroid with a distance or pooling that is none', async () => {
    const base = open(await pictureBase());
    const make = (options: unknown) => () => nearestCentroid(base, options as NearestCentroidOptions);
    const text = "nearestCentroid: expected distance to be 'cosine' or 'euclidean', got 'dot'.";
    await refused(make({ distance: 'dot' }), 'INVALID_OPTION', text);
    await refused(make({ pooling: 3 }), 'INVALID_OPTION', 'nearestCentroid: expected pooling to be');
  });

  test('of features that cannot be pooled so', async () => {
    const base = open(await vectorBase(3));
    const text = "knn: expected no pooling for features of shape [any, 3], got 'max'.";
    await refused(() => knn(base, { pooling: 'max' }), 'INVALID_OPTION', text);
    const source = sequential({ name: 'free' });
    source.add(layers.conv2d({ name: 'conv', filters: 2, kernelSize: 1, inputShape: [null, null, 3] }));
    const free = open(await loadBase(source, { cut: 'conv' }));
    source.dispose();
    await refused(
      () => knn(free, { pooling: 'flatten' }),
      'INVALID_OPTION',
      'knn: expected features of a fixed size, got [any, any, any, 2]. Give loadBase an inputSize, or pool them.',
    );
    const classifier = open(await knn(free, { k: 1 }));
    await classifier.add([[[1, 2, 3]]], 'small');
    await classifier.add(
      [
        [
          [3, 2, 1],
          [1, 1, 1],
        ],
      ],
      'large',
    );
    expect(classifier.toJSON().origin.width).toBe(2);
  });

  test('of outputs that are not features', async () => {
    const base = open(await vectorBase(3));
    const output = (shape: number[], dtype: 'float32' | 'int32'): Base => ({
      ...base,
      trunk: { ...base.trunk, output: { ...base.trunk.output, shape, dtype } },
    });
    for (const [shape, dtype] of [
      [[1], 'float32'],
      [[1, 3], 'int32'],
    ] as const) {
      await refused(
        () => nearestCentroid(output([...shape], dtype)),
        'UNSUPPORTED_SOURCE',
        `nearestCentroid: expected a base that gives float32 features for each example, got ${dtype} [`,
      );
    }
  });

  test('of a base that is gone', async () => {
    const base = await pictureBase();
    base.dispose();
    await refused(
      () => knn(base),
      'DISPOSED',
      "knn: expected a usable base, got 'tiny' after its dispose(). Load it again.",
    );
  });
});

describe('using one', () => {
  async function filled(cut?: string): Promise<{ classifier: ExampleClassifier; base: Base }> {
    const base = open(await pictureBase(cut));
    const classifier = open(await knn(base));
    await classifier.addAll(tinySamples(1));
    return { classifier, base };
  }

  test('examples of another shape, with NaN, or with none', async () => {
    const { classifier } = await filled('conv1');
    const add = (input: unknown) => () => classifier.add(input, 'plain');
    await refusedBy(classifier, add(new Float32Array(9)), 'WRONG_SHAPE', '9');
    await refusedBy(classifier, add(new Float32Array(768).fill(NaN)), 'NOT_FINITE', 'NaN');
    const text =
      'knn.add: expected finite features, got NaN or infinity for input 0. Check that example and its preprocessing.';
    await refusedBy(classifier, add(new Float32Array(768).fill(3e38)), 'NOT_FINITE', text);
    await refusedBy(classifier, () => classifier.predict([pictures(1)[0]?.input, 'x.jpg']), 'WRONG_DTYPE', 'x.jpg');
    const asked = [pictures(1)[0]?.input, new Float32Array(768).fill(3e38)];
    await refusedBy(
      classifier,
      () => classifier.predict(asked),
      'NOT_FINITE',
      'knn.predict: expected finite features, got NaN or infinity for input 1.',
    );
  });

  test.each([
    ['', "''"],
    [7, '7'],
    [undefined, 'undefined'],
  ])('a label that is %j', async (label, shown) => {
    const { classifier } = await filled();
    const add = () => classifier.add(pictures(1)[0]?.input, label as string);
    await refusedBy(classifier, add, 'INVALID_OPTION', `knn.add: expected a label that is not '', got ${shown}.`);
  });

  test('ids of nothing', async () => {
    const { classifier } = await filled();
    classifier.remove(1);
    for (const id of [1, 7, -1, NaN, '0' as unknown as number]) {
      const text = `knn.remove: expected the id of one of 2 kept examples, got ${String(id)}. Ids are returned by add and listed in examples.`;
      await refusedBy(
        classifier,
        () => {
          classifier.remove(id);
        },
        'UNKNOWN_EXAMPLE',
        text,
      );
    }
  });

  test('asking an empty one', async () => {
    const classifier = open(await nearestCentroid(open(await vectorBase(2))));
    const text = 'nearestCentroid.predict: expected examples to compare with, got none. Add some first.';
    await refused(() => classifier.predict([1, 2]), 'NO_EXAMPLES', text);
    classifier.remove(await classifier.add([1, 2], 'a'));
    await refused(() => classifier.predict([1, 2]), 'NO_EXAMPLES', text);
  });

  test.each<[unknown, string]>([
    [{ topK: 0 }, 'knn.predict: expected topK to be a whole number from 1, got 0.'],
    [{ batchSize: 0.5 }, 'knn.predict: expected batchSize to be a whole number from 1, got 0.5.'],
  ])('predict with %j', async (options, text) => {
    const { classifier } = await filled();
    await refusedBy(classifier, () => classifier.predict([], options as PredictOptions), 'INVALID_OPTION', text);
  });

  test('samples that are none, or have no single labels', async () => {
    const { classifier } = await filled();
    const addAll = (samples: unknown, options?: unknown) => () =>
      classifier.addAll(samples as Samples, options as AddOptions);
    await refusedBy(
      classifier,
      addAll(tinySamples(1), { batchSize: 0 }),
      'INVALID_OPTION',
      'knn.addAll: expected batchSize',
    );
    await refusedBy(
      classifier,
      addAll('photos'),
      'INVALID_OPTION',
      "knn.addAll: expected samples, as fromArrays, defineSamples or imageFolder make them, got 'photos'.",
    );
    const { input } = pictures(1)[0] ?? { input: new Float32Array(0) };
    for (const [target, shown] of [
      [['a', 'b'], '["a","b"]'],
      [0.5, '0.5'],
      [{ kind: 'a' }, '{"kind":"a"}'],
    ] as const) {
      const text = `knn.addAll: expected one label for each example, got ${shown} for example 0. Only classes can be told apart by examples.`;
      await refusedBy(classifier, addAll(fromArrays({ inputs: [input], targets: [target] })), 'INVALID_OPTION', text);
    }
  });

  test('samples one of which is wrong, or of which none can be read', async () => {
    const { classifier } = await filled('conv1');
    const inputs = [...pictures(3).map(({ input }) => input), new Float32Array(768).fill(3e38)];
    const targets = ['plain', 'plain', 'plain', 'along'];
    for (const batchSize of [1, 4]) {
      const add = () => classifier.addAll(fromArrays({ inputs, targets }), { batchSize });
      await refusedBy(
        classifier,
        add,
        'NOT_FINITE',
        'knn.addAll: expected finite features, got NaN or infinity for example 3.',
      );
    }
    const torn = defineSamples({
      size: 2,
      target: () => 'plain',
      read: () => Promise.reject(new Error('torn')),
      onUnreadable: 'skip',
    });
    const text = 'knn.addAll: expected examples that can be read, got none among 2.';
    await refusedBy(classifier, () => classifier.addAll(torn), 'NO_EXAMPLES', text);
  });

  test('after its dispose, and after that of the base', async () => {
    const { classifier, base } = await filled();
    const [one] = pictures(1);
    const other = open(await nearestCentroid(base));
    classifier.dispose();
    classifier.dispose();
    const gone = (verb: string) => `${verb}: expected a usable classifier, got one after its dispose(). Make another.`;
    await refused(() => classifier.add(one?.input, 'plain'), 'DISPOSED', gone('knn.add'));
    await refused(() => classifier.addAll(tinySamples(1)), 'DISPOSED', gone('knn.addAll'));
    await refused(() => classifier.predict(one?.input), 'DISPOSED', gone('knn.predict'));
    expect(await other.add(one?.input, 'plain')).toBe(0);
    base.dispose();
    const text = "nearestCentroid.predict: expected a usable base, got 'tiny' after its dispose(). Make another.";
    await refused(() => other.predict(one?.input), 'DISPOSED', text);
  });

  test('while something is under way', async () => {
    const { classifier } = await filled();
    const adding = classifier.add(pictures(1)[0]?.input, 'plain');
    const failing = expect(adding).rejects.toMatchObject({ code: 'DISPOSED' });
    classifier.dispose();
    await failing;
    expect(classifier.size).toBe(3);
    const other = (await filled()).classifier;
    const onProgress = ({ done, total }: Progress) => {
      if (done === total) other.dispose();
    };
    await expect(other.addAll(tinySamples(2), { onProgress })).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(other.size).toBe(3);
  });
});
