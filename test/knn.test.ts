// knn: votes of the nearest examples against scikit-learn's (golden/neighbours.py), ties, distances, and predicting
// from pictures. How classifiers keep examples is in test/neighbours.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  compare,
  defineSamples,
  fineTune,
  fromArrays,
  knn,
  loadBase,
  replaceHead,
  useBackend,
  type LabelPrediction,
} from '../src/index.ts';
import { randomGenerator } from '../src/core/random.ts';
import { nearestRows } from '../src/neighbours/nearestRows.ts';
import { separation, vectorOf, type Distance } from '../src/neighbours/separation.ts';
import golden from './golden/neighbours.json' with { type: 'json' };
import {
  freeOpened,
  goldenVectors,
  pictureBase,
  pictures,
  sharesOf,
  vectorClassifiers,
  waveRows,
} from './support/exampleBases.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinyLabels, tinySamples } from './support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const open = freeOpened();

const vectors = vectorClassifiers(open);

describe('votes are those of scikit-learn', () => {
  test.each(golden.neighbours)('$distance, $weights, k = $k', async (expected) => {
    const { distance, k, weights } = expected as { distance: Distance; k: number; weights: 'uniform' | 'distance' };
    const { features, labels, queries } = goldenVectors();
    const classifier = await vectors(6, { k, distance, weights });
    await classifier.addAll(fromArrays({ inputs: features, targets: labels }));
    const predictions = await expectNoLeak(() => classifier.predict(queries));
    predictions.forEach((prediction, row) => {
      const shares = sharesOf(prediction);
      expected.shares[row]?.forEach((share, label) => {
        expect(shares[String(label)]).toBeCloseTo(share, 9);
      });
      if (expected.tied[row] !== true) expect(prediction[0]?.label).toBe(String(expected.predicted[row]));
    });
  });
});

describe('ties are broken by rule', () => {
  test('of labels with equally many votes, that of the nearest neighbour', async () => {
    const classifier = await vectors(1, { k: 4, distance: 'euclidean' });
    for (const [value, label] of [
      [3, 'a'],
      [1, 'b'],
      [2, 'a'],
      [4, 'b'],
    ] as const)
      await classifier.add([value], label);
    expect(await classifier.predict([0])).toEqual([
      { label: 'b', probability: 0.5 },
      { label: 'a', probability: 0.5 },
    ]);
    expect((await classifier.predict([5]))[0]?.label).toBe('b');
    expect((await classifier.predict([2.4]))[0]?.label).toBe('a');
  });

  test('of equally near examples, the one added first', async () => {
    const classifier = await vectors(1, { k: 1, distance: 'euclidean' });
    const first = await classifier.add([1], 'z');
    await classifier.add([-1], 'a');
    expect((await classifier.predict([0]))[0]?.label).toBe('z');
    classifier.remove(first);
    expect((await classifier.predict([0]))[0]?.label).toBe('a');
    await classifier.add([1], 'z');
    expect((await classifier.predict([0]))[0]?.label).toBe('a');
  });

  test('with weights by distance, the same features outvote all others', async () => {
    const classifier = await vectors(2, { k: 3, weights: 'distance' });
    await classifier.add([0.3, 0.1], 'same');
    await classifier.add([0.6, 0.21], 'other');
    await classifier.add([0.9, 0.31], 'other');
    expect(await classifier.predict([0.3, 0.1])).toEqual([
      { label: 'same', probability: 1 },
      { label: 'other', probability: 0 },
    ]);
  });
});

describe('distances', () => {
  test('by cosine ignore lengths; a vector of zeros has distance 1 from all', () => {
    const [a, b, zero] = [
      vectorOf(Float32Array.of(1, 2, 2, 0, 0)),
      vectorOf(Float32Array.of(2, 4, 4, 0, 0)),
      vectorOf(new Float32Array(5)),
    ];
    expect(separation('cosine', a, b)).toBe(0);
    expect(separation('cosine', a, vectorOf(Float32Array.of(0, 0, 0, 3, 0)))).toBeCloseTo(1, 15);
    expect(separation('cosine', a, vectorOf(Float32Array.of(-1, -2, -2, 0, 0)))).toBeCloseTo(2, 15);
    expect([separation('cosine', a, zero), separation('cosine', zero, zero)]).toEqual([1, 1]);
    expect([separation('euclidean', a, b), separation('euclidean', zero, zero)]).toEqual([9, 0]);
  });

  /** By sorting all distances. */
  function sorted(rows: readonly Float32Array[], query: Float32Array, k: number, distance: Distance) {
    const asked = vectorOf(query);
    return rows
      .map((values, row) => ({ row, apart: separation(distance, asked, vectorOf(values)) }))
      .sort((a, b) => a.apart - b.apart || a.row - b.row)
      .slice(0, k)
      .map(({ row }) => row);
  }

  test.each(['cpu', 'wasm'])('the backend %s finds the neighbours that double precision finds', async (name) => {
    await useBackend(name);
    const random = randomGenerator(5);
    const draw = (count: number, width: number) =>
      Array.from({ length: count }, () => Float32Array.from({ length: width }, () => random()));
    // A third of the rows are twins of others, or nearly: products in single precision cannot tell them apart.
    const rows = draw(400, 160);
    rows.push(
      ...rows.slice(0, 100),
      ...rows.slice(100, 200).map((row) => row.map((value, i) => (i === 7 ? value + 1e-6 : value))),
    );
    rows.push(new Float32Array(160));
    const queries = [...draw(40, 160), ...rows.slice(90, 110), new Float32Array(160)];
    for (const distance of ['cosine', 'euclidean'] as const) {
      const plan = { rows: rows.map((values) => vectorOf(values)), k: 6, distance };
      const found = await expectNoLeak(() => nearestRows(plan, queries));
      found.forEach((each, i) => {
        expect(each.map(({ row }) => row)).toEqual(sorted(rows, queries[i] ?? new Float32Array(160), 6, distance));
      });
    }
    await useBackend('cpu');
  });

  test('features whose products are beyond single precision', async () => {
    const width = 2048;
    const rows = Array.from({ length: 2100 }, (_, row) => Float32Array.from({ length: width }, () => row - 1050));
    const huge = Float32Array.from({ length: width }, () => 1e20);
    rows[4] = huge.map((value) => 3 * value);
    rows[7] = huge.map((value) => value / 1e5);
    const plan = { rows: rows.map((values) => vectorOf(values)), k: 1, distance: 'euclidean' } as const;
    const [found] = await nearestRows(plan, [huge]);
    expect(found?.map(({ row }) => row)).toEqual([7]);
  });

  test('more rows than go to the backend at once', async () => {
    const width = 1024;
    const rows = Array.from({ length: 4200 }, (_, row) =>
      Float32Array.from({ length: width }, (_, i) => Math.sin(row + (i % 13) * row)),
    );
    const plan = { rows: rows.map((values) => vectorOf(values)), k: 2, distance: 'cosine' } as const;
    const found = await nearestRows(plan, [rows[4150] ?? new Float32Array(width), rows[3] ?? new Float32Array(width)]);
    expect(found.map(([first]) => first)).toEqual([
      { row: 4150, distance: 0 },
      { row: 3, distance: 0 },
    ]);
  });
});

describe('predicting', () => {
  test('one input or many, in batches of any size, as many labels as wanted', async () => {
    const classifier = open(await knn(open(await pictureBase()), { k: 4 }));
    await classifier.addAll(tinySamples(4));
    const inputs = pictures(7, 5).map(({ input }) => input);
    const whole: LabelPrediction[][] = await classifier.predict(inputs);
    for (const [i, input] of inputs.entries()) {
      const one: LabelPrediction[] = await classifier.predict(input);
      expect(one).toEqual(whole[i]);
    }
    for (const batchSize of [1, 3]) expect(await classifier.predict(inputs, { batchSize })).toEqual(whole);
    expect(await classifier.predict(inputs, { topK: 1 })).toEqual(whole.map((each) => each.slice(0, 1)));
    expect(await classifier.predict([])).toEqual([]);
    for (const each of whole) {
      expect(each.map(({ label }) => label).sort()).toEqual(tinyLabels);
      expect(each.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    }
  });

  test('with fewer examples than k all of them vote', async () => {
    const classifier = await vectors(1, { k: 50, distance: 'euclidean' });
    for (const value of [1, 2, 3]) await classifier.add([value], value < 3 ? 'low' : 'high');
    expect(sharesOf(await classifier.predict([9]))).toEqual({ low: 2 / 3, high: 1 / 3 });
  });

  test.each(['cpu', 'wasm'])('finds classes of pictures on %s, twice the same', async (name) => {
    await useBackend(name);
    const base = open(await pictureBase());
    const classifier = open(await knn(base, { k: 3 }));
    await classifier.addAll(tinySamples(8));
    const asked = pictures(12, 9);
    const inputs = asked.map(({ input }) => input);
    const found = await expectNoLeak(() => classifier.predict(inputs));
    expect(found.map(([best]) => best?.label)).toEqual(asked.map(({ label }) => label));
    const again = open(await knn(base, { k: 3 }));
    await again.addAll(tinySamples(8));
    expect(again.toJSON()).toEqual(classifier.toJSON());
    expect(await again.predict(inputs)).toEqual(found);
    await useBackend('cpu');
  });

  test('continues on another backend', async () => {
    const classifier = open(await knn(open(await pictureBase()), { k: 3 }));
    await classifier.addAll(tinySamples(4));
    const asked = pictures(6, 9);
    await useBackend('wasm');
    const found = await classifier.predict(asked.map(({ input }) => input));
    expect(found.map(([best]) => best?.label)).toEqual(asked.map(({ label }) => label));
    await useBackend('cpu');
  });

  test('works on a GraphModel', async () => {
    const base = open(await loadBase(tinyGraph(), { inputSize: 8 }));
    const classifier = open(await knn(base, { k: 1 }));
    const inputs = waveRows(3, 192, 0.5, 0.2).map((row) => Float32Array.from(row, (value) => value + 0.5));
    for (const [i, input] of inputs.entries()) await classifier.add(input, String(i));
    const found = await expectNoLeak(() => classifier.predict(inputs));
    expect(found.map(([best]) => best?.label)).toEqual(['0', '1', '2']);
  });

  test('uses the weights that the base had when it was made', async () => {
    const model = replaceHead(open(await pictureBase()), { labels: tinyLabels });
    const classifier = open(await knn(model.base, { k: 3 }));
    await classifier.addAll(tinySamples(4));
    const inputs = pictures(5, 2).map(({ input }) => input);
    const found = await classifier.predict(inputs);
    await fineTune(model, tinySamples(2), { epochs: 1, learningRate: 0.1, headEpochs: 0 });
    expect(await classifier.predict(inputs)).toEqual(found);
    await classifier.add(inputs[0], 'plain');
    expect(classifier.toJSON().examples.at(-1)?.features).toHaveLength(12);
    model.head.trunk.dispose();
  });

  test('can be compared, and is not in the table if it is stopped', async () => {
    const learner = open(await knn(open(await pictureBase()), { k: 3 }));
    const samples = tinySamples(4);
    const { rows } = await compare({ learner }, samples, { test: tinySamples(2, 7) });
    expect(rows).toMatchObject([{ name: 'learner', accuracy: 1, epochs: 0 }]);
    const stop = new AbortController();
    const stopping = defineSamples({
      size: samples.size,
      target: (i) => samples.target(i),
      read: (i) => {
        stop.abort();
        return samples.read(i);
      },
    });
    expect((await compare({ learner }, stopping, { signal: stop.signal })).rows).toEqual([]);
  });
});
