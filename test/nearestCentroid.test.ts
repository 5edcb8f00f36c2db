// nearestCentroid: labels against scikit-learn's, probabilities against the same loss minimised by scipy
// (golden/neighbours.py), and what they are at the edges.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fromArrays,
  nearestCentroid,
  useBackend,
  type ExampleClassifier,
  type LabelPrediction,
  type NearestCentroidOptions,
} from '../src/index.ts';
import { centroidShares, fitCentroids } from '../src/neighbours/centroids.ts';
import { vectorOf, type Distance } from '../src/neighbours/separation.ts';
import { sharesOf, steepnessFor } from '../src/neighbours/distanceTemperature.ts';
import golden from './golden/neighbours.json' with { type: 'json' };
import { freeOpened, goldenVectors, pictureBase, pictures, vectorBase } from './support/exampleBases.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinySamples } from './support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const open = freeOpened();

async function vectors(width: number, options?: NearestCentroidOptions): Promise<ExampleClassifier> {
  return open(await nearestCentroid(open(await vectorBase(width)), options));
}

function byLabel(prediction: readonly LabelPrediction[]): Record<string, number> {
  return Object.fromEntries(prediction.map(({ label, probability }) => [label, probability]));
}

const { features, labels, queries } = goldenVectors();
const all = features.map((values, row) => ({ values, label: labels[row] ?? '' }));
/** Of the labels in turn 1, 2, 3 and 5 examples. */
const few = ['0', '1', '2', '3'].flatMap((label, i) =>
  all.filter((each) => each.label === label).slice(0, [1, 2, 3, 5][i]),
);

describe('labels are those of scikit-learn, probabilities those that make left-out examples most probable', () => {
  test.each([
    ...golden.centroids.map((expected) => ({ ...expected, examples: all, name: 'ten of each' })),
    ...golden.few.map((expected) => ({ ...expected, examples: few, name: 'a few, of one label one' })),
  ])('$distance, $name', async ({ examples, ...expected }) => {
    const distance = expected.distance as Distance;
    const classifier = await vectors(6, { distance });
    const samples = fromArrays({
      inputs: examples.map(({ values }) => values),
      targets: examples.map(({ label }) => label),
    });
    await classifier.addAll(samples);
    const predictions = await expectNoLeak(() => classifier.predict(queries));
    predictions.forEach((prediction, row) => {
      expect(prediction[0]?.label).toBe(String(expected.predicted[row]));
      const shares = byLabel(prediction);
      expected.shares[row]?.forEach((share, label) => {
        expect(shares[String(label)]).toBeCloseTo(share, 5);
      });
    });
    const rows = examples.map(({ values, label }) => ({ ...vectorOf(Float32Array.from(values)), label }));
    expect(fitCentroids(rows, distance).steepness / expected.steepness).toBeCloseTo(1, 5);
  });
});

describe('probabilities at the edges', () => {
  test('one label has all', async () => {
    const classifier = await vectors(2);
    await classifier.add([1, 2], 'only');
    expect(
      await classifier.predict([
        [-3, 1],
        [0, 0],
      ]),
    ).toEqual([[{ label: 'only', probability: 1 }], [{ label: 'only', probability: 1 }]]);
  });

  test('one example of each: the nearest first, a share of e for each mean distance', async () => {
    const classifier = await vectors(1, { distance: 'euclidean' });
    for (const [value, label] of [
      [0, 'a'],
      [2, 'b'],
    ] as const)
      await classifier.add([value], label);
    const [first, second] = await classifier.predict([0]);
    expect([first?.label, second?.label]).toEqual(['a', 'b']);
    expect((first?.probability ?? NaN) / (second?.probability ?? NaN)).toBeCloseTo(Math.E, 12);
  });

  test('examples that are all alike say nothing: equal shares, by alphabet', async () => {
    const classifier = await vectors(2);
    for (const label of ['b', 'a', 'b', 'a']) await classifier.add([1, 1], label);
    expect(await classifier.predict([3, 1])).toEqual([
      { label: 'a', probability: 0.5 },
      { label: 'b', probability: 0.5 },
    ]);
  });

  test('labels that left-out examples contradict get equal shares, the nearest still first', async () => {
    const classifier = await vectors(1, { distance: 'euclidean' });
    for (const [value, label] of [
      [-4, 'a'],
      [5, 'a'],
      [-5, 'b'],
      [4.5, 'b'],
    ] as const)
      await classifier.add([value], label);
    expect(await classifier.predict([100])).toEqual([
      { label: 'a', probability: 0.5 },
      { label: 'b', probability: 0.5 },
    ]);
    expect((await classifier.predict([-100]))[0]?.label).toBe('b');
  });

  test('labels that are separated without a mistake are not certain', async () => {
    const classifier = await vectors(1, { distance: 'euclidean' });
    for (const [value, label] of [
      [0, 'a'],
      [0.1, 'a'],
      [9, 'b'],
      [9.1, 'b'],
    ] as const)
      await classifier.add([value], label);
    const [own, middle] = await classifier.predict([[0.05], [4.55]]);
    // Of four examples, (4 + 1) / (4 + 2).
    expect(own?.[0]?.probability).toBeCloseTo(5 / 6, 2);
    expect(middle?.[0]?.probability).toBeCloseTo(0.5, 6);
  });

  test('vectors of zeros are kept and asked without harm', async () => {
    for (const distance of ['cosine', 'euclidean'] as const) {
      const classifier = await vectors(2, { distance });
      for (const [values, label] of [
        [[0, 0], 'a'],
        [[1, 0], 'a'],
        [[0, 1], 'b'],
        [[0, 0], 'b'],
      ] as const)
        await classifier.add(values, label);
      for (const prediction of await classifier.predict([
        [0, 0],
        [1, 0],
        [0, 2],
      ])) {
        expect(prediction.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
      }
    }
  });

  test('separations of any size end in probabilities', () => {
    for (const scale of [1e-30, 1, 1e30]) {
      const judged = [
        [1, 3, 4],
        [2, 1, 5],
        [2, 3, 1],
        [0.5, 4, 4],
      ].map((each, row) => ({
        separations: each.map((value) => value * scale),
        own: row % 3,
      }));
      const steepness = steepnessFor(judged);
      expect(steepness * scale).toBeCloseTo(
        steepnessFor(
          judged.map(({ separations, own }) => ({ separations: separations.map((value) => value / scale), own })),
        ),
        4,
      );
      expect(sharesOf(judged[0]?.separations ?? [], steepness).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    }
  });
});

test('a centroid of directions does not see lengths', () => {
  const examples = [
    [1, 0, 'a'],
    [0, 100, 'a'],
    [-1, 0, 'b'],
    [-5, -1, 'b'],
  ].map(([x, y, label]) => ({
    ...vectorOf(Float32Array.of(Number(x), Number(y))),
    label: String(label),
  }));
  const model = fitCentroids(examples, 'cosine');
  expect(Array.from(model.centroids[0]?.values ?? [])).toEqual([1, 1]);
  expect([...centroidShares(model, vectorOf(Float32Array.of(1, 1))).keys()]).toEqual(['a', 'b']);
});

test.each(['cpu', 'wasm'])('finds classes of pictures on %s, twice the same', async (name) => {
  await useBackend(name);
  const base = open(await pictureBase());
  const classifier = open(await nearestCentroid(base));
  await classifier.addAll(tinySamples(8));
  const asked = pictures(12, 9);
  const inputs = asked.map(({ input }) => input);
  const found = await expectNoLeak(() => classifier.predict(inputs));
  expect(found.map(([best]) => best?.label)).toEqual(asked.map(({ label }) => label));
  const again = open(await nearestCentroid(base));
  await again.addAll(tinySamples(8));
  expect(await again.predict(inputs)).toEqual(found);
  await useBackend('cpu');
});
