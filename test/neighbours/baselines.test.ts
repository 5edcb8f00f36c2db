// evaluate's baselines: the figures of the classifiers themselves, at one pass over each of the two sets of samples.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  evaluate,
  fromArrays,
  knn,
  nearestCentroid,
  replaceHead,
  trainHead,
  useBackend,
  type ExampleClassifier,
  type Progress,
  type Samples,
  type TransferModel,
} from '../../src/index.ts';
import { freeOpened, pictureBase, pictures, vectorBase } from '../support/exampleBases.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { tinyLabels, tinySamples } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const open = freeOpened();

async function tinyModel(cut?: string): Promise<TransferModel<'classes'>> {
  return open(replaceHead(await pictureBase(cut), { labels: tinyLabels }));
}

/** Pictures so noisy that nobody is always right, and unequally many of each class. */
function noisy(each: readonly number[], seed: number): Samples {
  const targets = tinyLabels.flatMap((label, i) => new Array<string>(each[i] ?? 0).fill(label));
  const drawn = pictures(3 * Math.max(...each), seed);
  const noise = pictures(targets.length, seed + 100);
  const inputs = targets.map((label, row) => {
    const own = drawn.filter((one) => one.label === label)[row % Math.max(...each)]?.input ?? new Float32Array(768);
    return own.map((value, i) => 0.4 * value + (noise[(row * 5 + 2) % noise.length]?.input[(i * 7) % 768] ?? 0));
  });
  return fromArrays({ inputs, targets });
}

/** How often a classifier is right. */
async function accuracyOf(classifier: ExampleClassifier, train: Samples, samples: Samples): Promise<number> {
  await classifier.addAll(train);
  let right = 0;
  for (let i = 0; i < samples.size; i++) {
    const [best] = await classifier.predict((await samples.read(i)).input);
    right += Number(best?.label === samples.target(i));
  }
  return right / samples.size;
}

describe('of classes', () => {
  test('have the accuracy of the classifiers themselves, and nothing else changes', async () => {
    const model = await tinyModel();
    const [train, samples] = [noisy([9, 4, 6], 1), noisy([5, 8, 3], 2)];
    await trainHead(model, train, { epochs: 1 });
    const plain = await evaluate(model, samples);
    const { baselines, ...figures } = await expectNoLeak(() => evaluate(model, samples, { baselines: train }));
    expect(figures).toEqual(plain);
    const byVotes = await accuracyOf(open(await knn(model.base)), train, samples);
    const byCentroid = await accuracyOf(open(await nearestCentroid(model.base)), train, samples);
    expect(baselines).toEqual({
      knn: { accuracy: byVotes, k: 5 },
      nearestCentroid: { accuracy: byCentroid },
      mostFrequent: { accuracy: 5 / 16, label: 'across' },
      examples: 19,
      skipped: [],
    });
    for (const accuracy of [byVotes, byCentroid]) {
      expect(accuracy).toBeGreaterThan(0.4);
      expect(accuracy).toBeLessThan(1);
    }
    expect(JSON.parse(JSON.stringify(baselines))).toEqual(baselines);
    const parts = await evaluate(model, samples, { baselines: train, batchSize: 3 });
    expect(parts.baselines).toEqual(baselines);
  });

  test('read every example once', async () => {
    const model = await tinyModel();
    const counted = (samples: Samples) => {
      const reads = new Array<number>(samples.size).fill(0);
      const read = (i: number) => {
        reads[i] = (reads[i] ?? 0) + 1;
        return samples.read(i);
      };
      return { reads, samples: defineSamples({ size: samples.size, target: (i) => samples.target(i), read }) };
    };
    const [train, asked] = [counted(tinySamples(2)), counted(tinySamples(1, 5))];
    const seen: Progress[] = [];
    await evaluate(model, asked.samples, {
      baselines: train.samples,
      batchSize: 4,
      onProgress: (each) => seen.push(each),
    });
    expect([train.reads, asked.reads]).toEqual([new Array(6).fill(1), new Array(3).fill(1)]);
    expect(seen.map(({ phase, done, total }) => `${phase} ${String(done)}/${String(total)}`)).toEqual([
      'features 0/6',
      'features 4/6',
      'features 6/6',
      'evaluate 0/3',
      'evaluate 3/3',
    ]);
  });

  test('with fewer examples than k, fewer vote; skipped examples are listed for both', async () => {
    const model = await tinyModel();
    const torn = (samples: Samples, bad: number): Samples =>
      defineSamples({
        size: samples.size,
        target: (i) => samples.target(i),
        read: (i) => {
          if (i === bad) throw new Error('it is torn');
          return samples.read(i);
        },
        onUnreadable: 'skip',
      });
    const result = await evaluate(model, torn(tinySamples(2, 3), 4), {
      baselines: torn(tinySamples(1), 2),
      batchSize: 2,
    });
    expect(result.baselines).toMatchObject({
      knn: { k: 2 },
      examples: 2,
      skipped: [{ id: 'example 2', reason: 'it is torn' }],
    });
    expect([result.examples, result.skipped]).toEqual([5, [{ id: 'example 4', reason: 'it is torn' }]]);
    // Of two labels with one example each, the first of the head.
    expect(result.baselines?.mostFrequent).toEqual({ accuracy: 2 / 5, label: 'across' });
  });
});

/** Two vectors a side, on a line. */
const line = [[-2], [-1], [1], [2]];

test('of two labels by one logit, from labels or shares', async () => {
  const model = open(replaceHead(await vectorBase(1), { task: 'binary', labels: ['no', 'yes'] }));
  const samples = fromArrays({ inputs: [[-3], [3], [4]], targets: ['no', 'yes', 'no'] });
  const expected = { knn: { accuracy: 2 / 3, k: 5 }, nearestCentroid: { accuracy: 2 / 3 } };
  const inputs = [...line, ...line, [3]];
  for (const targets of [
    ['no', 'no', 'yes', 'yes', 'no', 'no', 'yes', 'yes', 'yes'],
    [0.1, 0.2, 0.8, 1, 0, 0.4, 0.6, 0.7, 0.9],
  ]) {
    const { baselines } = await evaluate(model, samples, { baselines: fromArrays({ inputs, targets }) });
    expect(baselines).toMatchObject({ ...expected, mostFrequent: { accuracy: 1 / 3, label: 'yes' } });
  }
});

test('of several heads, those with classes', async () => {
  const model = open(
    replaceHead(await vectorBase(1), {
      heads: {
        side: { labels: ['left', 'right'] },
        far: { task: 'binary', labels: ['no', 'yes'] },
        place: { task: 'regression' },
      },
    }),
  );
  const targetOf = ([x = 0]: readonly number[]) => ({
    side: x < 0 ? 'left' : 'right',
    far: Math.abs(x) > 1.5 ? 'yes' : 'no',
    place: x,
  });
  const samplesOf = (inputs: number[][]) => fromArrays({ inputs, targets: inputs.map(targetOf) });
  const train = samplesOf([...line, ...line, [1.9], [2.1]]);
  const { heads } = await expectNoLeak(() => evaluate(model, samplesOf([[-1.8], [1.1], [-3]]), { baselines: train }));
  expect(heads.side.baselines).toMatchObject({
    knn: { accuracy: 1, k: 5 },
    nearestCentroid: { accuracy: 1 },
    mostFrequent: { accuracy: 1 / 3, label: 'right' },
  });
  expect(heads.far.baselines).toMatchObject({ mostFrequent: { accuracy: 2 / 3, label: 'yes' }, examples: 10 });
  expect(heads.place).not.toHaveProperty('baselines');
});

describe('refused', () => {
  test('for a model without classes', async () => {
    const model = open(replaceHead(await vectorBase(1), { task: 'regression' }));
    const samples = fromArrays({ inputs: line, targets: [1, 2, 3, 4] });
    await expectNoLeak(() =>
      expect(evaluate(model, samples, { baselines: samples })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message:
          "[transferkit] evaluate: expected baselines for task 'classes', 'binary' or 'ordinal' only, got 'regression'.",
      }),
    );
  });

  test('samples that are none, of other labels, or with features that are not finite', async () => {
    const model = await tinyModel('conv1');
    const ask = (samples: Samples, baselines: unknown) => () =>
      evaluate(model, samples, { baselines: baselines as Samples }).catch((raised: unknown) => raised);
    const good = tinySamples(1);
    expect(await expectNoLeak(ask(good, 'photos'))).toMatchObject({ code: 'INVALID_OPTION' });
    const other = fromArrays({ inputs: [new Float32Array(768)], targets: ['other'] });
    expect(await expectNoLeak(ask(good, other))).toMatchObject({ code: 'UNKNOWN_LABEL' });
    const far = fromArrays({
      inputs: [1, 3e38].map((value) => new Float32Array(768).fill(value)),
      targets: ['plain', 'along'],
    });
    for (const act of [ask(good, far), ask(far, good)]) {
      expect(await expectNoLeak(act)).toMatchObject({
        code: 'NOT_FINITE',
        message: expect.stringContaining(
          'evaluate: expected finite features, got NaN or infinity for example 1.',
        ) as string,
      });
    }
  });

  test('samples that cannot be measured, before anything is read', async () => {
    const model = await tinyModel();
    const unread = defineSamples({
      size: 1,
      target: () => 'plain',
      read: () => {
        throw new RangeError('was read');
      },
    });
    const other = fromArrays({ inputs: [new Float32Array(768)], targets: ['other'] });
    await expect(evaluate(model, other, { baselines: unread })).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' });
  });
});
