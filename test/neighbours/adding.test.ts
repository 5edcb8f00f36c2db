// Adding examples to classifiers that keep them, and taking them away again.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  fromArrays,
  knn,
  nearestCentroid,
  useBackend,
  type Base,
  type ExampleClassifier,
  type ExampleSet,
  type Progress,
  type Samples,
} from '../../src/index.ts';
import { freeOpened, pictureBase, pictures, sharesOf, vectorClassifiers } from '../support/exampleBases.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { tinyLabels, tinySamples } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const open = freeOpened();

const vectors = vectorClassifiers(open);

/** Both kinds, with options that use everything they keep. */
const kinds: Record<string, (base: Base) => Promise<ExampleClassifier>> = {
  knn: (base) => knn(base, { k: 3, weights: 'distance' }),
  'nearest centroid, cosine': (base) => nearestCentroid(base),
  'nearest centroid, euclidean': (base) => nearestCentroid(base, { distance: 'euclidean' }),
};

describe('adding and removing', () => {
  test.each(Object.entries(kinds))(
    '%s: adding and removing an example restores the state, bit for bit',
    async (_, make) => {
      const base = open(await pictureBase());
      const [a, b, c, d, e, f, ...others] = pictures(9);
      const stay = [a, b, c, d, e, f].flatMap((each) => each ?? []);
      const fresh = open(await make(base));
      for (const { input, label } of stay) await fresh.add(input, label);
      const changed = open(await make(base));
      const inputs = pictures(7, 3).map(({ input }) => input);
      for (const [place, { input, label }] of stay.entries()) {
        const other = others[place % 3];
        const id = await changed.add(other?.input, other?.label ?? '');
        await changed.add(input, label);
        if (place === 4) await changed.predict(inputs);
        changed.remove(id);
      }
      const features = ({ examples }: ExampleSet) => examples.map(({ label, features: values }) => [label, values]);
      expect(features(changed.toJSON())).toEqual(features(fresh.toJSON()));
      expect(await changed.predict(inputs)).toEqual(await fresh.predict(inputs));
    },
  );

  test('addAll adds what add adds one by one, in batches of any size', async () => {
    const base = open(await pictureBase());
    const samples = tinySamples(3);
    const single = open(await knn(base));
    for (let i = 0; i < samples.size; i++) await single.add((await samples.read(i)).input, String(samples.target(i)));
    for (const batchSize of [1, 4, 32]) {
      const all = open(await knn(base));
      const { ids, skipped } = await expectNoLeak(() => all.addAll(samples, { batchSize }));
      expect([ids, skipped]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8], []]);
      expect(all.toJSON()).toEqual(single.toJSON());
    }
  });

  test('lists labels, counts and ids; a label without examples is removed', async () => {
    const classifier = await vectors(2);
    expect([classifier.size, classifier.labels, classifier.classCounts, classifier.examples]).toEqual([0, [], {}, []]);
    const ids = [
      await classifier.add([1, 0], 'b'),
      await classifier.add([0, 1], 'a'),
      await classifier.add([1, 1], 'b'),
    ];
    expect(ids).toEqual([0, 1, 2]);
    expect([classifier.size, classifier.labels, classifier.classCounts]).toEqual([3, ['a', 'b'], { a: 1, b: 2 }]);
    classifier.remove(1);
    expect(classifier.examples).toEqual([
      { id: 0, label: 'b' },
      { id: 2, label: 'b' },
    ]);
    expect(await classifier.predict([0, 1])).toEqual([{ label: 'b', probability: 1 }]);
    expect(await classifier.add([0, 1], '__proto__')).toBe(3);
    expect(classifier.labels).toEqual(['__proto__', 'b']);
    expect(sharesOf(await classifier.predict([0, 1])).b).toBeCloseTo(2 / 3, 12);
  });

  test('examples keep the order in which they were asked for, whichever is ready first', async () => {
    const waiting = [30, 0, 15];
    const base = open(await pictureBase());
    const slow: Base = {
      ...base,
      preprocessor: {
        spec: base.preprocessor.spec,
        async apply(input) {
          const { values, place } = input as { values: Float32Array; place: number };
          await new Promise((resolve) => setTimeout(resolve, waiting[place]));
          return tf.tensor3d(values, [16, 16, 3]);
        },
      },
    };
    const classifier = open(await knn(slow));
    const ids = await Promise.all(
      pictures(3).map(({ input, label }, place) => classifier.add({ values: input, place }, label)),
    );
    expect(ids).toEqual([0, 1, 2]);
    expect(classifier.examples.map(({ label }) => label)).toEqual(tinyLabels);
  });

  test('a signal stops between batches, and nothing is added', async () => {
    const classifier = open(await knn(open(await pictureBase())));
    const stop = new AbortController();
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => {
      seen.push(progress);
      if (progress.done > 0) stop.abort('enough');
    };
    const adding = () => classifier.addAll(tinySamples(4), { batchSize: 4, signal: stop.signal, onProgress });
    const error = await expectNoLeak(() => adding().catch((raised: unknown) => raised));
    expect(error).toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(seen.map(({ phase, done, total }) => [phase, done, total])).toEqual([
      ['features', 0, 12],
      ['features', 4, 12],
    ]);
    expect(classifier.size).toBe(0);
  });

  test('unreadable examples are skipped and listed, or nothing is added', async () => {
    const samples = tinySamples(2);
    const torn = (onUnreadable: 'skip' | 'error'): Samples =>
      defineSamples({
        size: samples.size,
        target: (i) => samples.target(i),
        read: (i) => {
          if (i === 2) throw new Error('it is torn');
          return samples.read(i);
        },
        onUnreadable,
      });
    const classifier = open(await knn(open(await pictureBase())));
    await expect(classifier.addAll(torn('error'))).rejects.toMatchObject({ code: 'UNREADABLE' });
    expect(classifier.size).toBe(0);
    const { ids, skipped } = await classifier.addAll(torn('skip'));
    expect(skipped).toEqual([{ id: 'example 2', reason: 'it is torn' }]);
    expect([ids.length, classifier.classCounts]).toEqual([5, { across: 2, along: 2, plain: 1 }]);
    expect(classifier.examples.map(({ id }) => id)).toEqual(ids);
  });

  test('targets may be indexes of labels, or lists of one', async () => {
    const classifier = await vectors(1);
    await classifier.addAll(fromArrays({ inputs: [[1], [2]], targets: [1, 0], labels: ['a', 'b'] }));
    await classifier.addAll(fromArrays({ inputs: [[3]], targets: [['c']] }));
    expect(classifier.examples.map(({ label }) => label)).toEqual(['b', 'a', 'c']);
  });
});
