// Each task on a problem whose optimum is known: categories as inputs, so that the best a linear head can do is to say
// how often each answer came with each category. Probabilities become frequencies, losses entropies, numbers means.
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import {
  evaluate,
  fromArrays,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  useBackend,
  type Base,
  type HeadTarget,
  type Samples,
} from '../src/index.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const categories = [
  [1, 0],
  [0, 1],
];

/** A base that gives what it takes. */
async function sameBase(): Promise<Base> {
  const source = sequential({ layers: [layers.activation({ activation: 'linear', inputShape: [2], name: 'same' })] });
  const base = await loadBase(source, { cut: 'same' });
  source.dispose();
  return base;
}

/** Ten examples of each category. */
function samplesOf(targets: readonly (readonly HeadTarget[])[]): Samples {
  return fromArrays({
    inputs: targets.flatMap((own, category) => own.map(() => categories[category] ?? [])),
    targets: targets.flat(),
  });
}

function repeat(counts: readonly (readonly [HeadTarget, number])[]): HeadTarget[] {
  return counts.flatMap(([target, count]) => Array.from({ length: count }, () => target));
}

const training = { epochs: 200, batchSize: 20, learningRate: 0.2 };
const entropy = (...shares: number[]) => -shares.reduce((sum, share) => sum + share * Math.log(share), 0);

test('classes: softmax gives the frequency of each class', async () => {
  const samples = samplesOf([
    repeat([
      ['a', 5],
      ['b', 3],
      ['c', 2],
    ]),
    repeat([
      ['a', 1],
      ['b', 1],
      ['c', 8],
    ]),
  ]);
  const model = replaceHead(await sameBase(), { labels: ['a', 'b', 'c'], dropout: 0 });
  await trainHead(model, samples, training);
  const predictions = await predict(model, categories);
  const shares = predictions.map((list) => ['a', 'b', 'c'].map((name) => list.find(({ label }) => label === name)));
  expectAll(
    shares.map((list) => list.map((each) => each?.probability)),
    [
      [0.5, 0.3, 0.2],
      [0.1, 0.1, 0.8],
    ],
  );
  const { loss, accuracy } = await evaluate(model, samples);
  expect(loss).toBeCloseTo((entropy(0.5, 0.3, 0.2) + entropy(0.1, 0.1, 0.8)) / 2, 3);
  expect(accuracy).toBeCloseTo((5 + 8) / 20, 6);
});

test('binary: one logit gives the frequency of the second label', async () => {
  const samples = samplesOf([
    repeat([
      ['no', 7],
      ['yes', 3],
    ]),
    repeat([
      ['no', 1],
      ['yes', 9],
    ]),
  ]);
  const model = replaceHead(await sameBase(), { task: 'binary', labels: ['no', 'yes'], dropout: 0 });
  // Kernel and bias of a single logit, as of the tutorial's Dense(1).
  expect(model.head.trunk.weights.map(({ shape }) => shape)).toEqual([[2, 1], [1]]);
  await trainHead(model, samples, training);
  const predictions = await predict(model, categories);
  const yes = predictions.map((list) => list.find(({ label }) => label === 'yes'));
  expectAll([yes.map((each) => each?.probability)], [[0.3, 0.9]]);
  expect(yes.map((each) => each?.chosen)).toEqual([false, true]);
  const { loss, accuracy, confusion } = await evaluate(model, samples);
  expect(loss).toBeCloseTo((entropy(0.7, 0.3) + entropy(0.1, 0.9)) / 2, 3);
  expect(accuracy).toBeCloseTo((7 + 9) / 20, 6);
  expect(confusion).toEqual([
    [7, 1],
    [3, 9],
  ]);
});

test('multiLabel: each label has a probability of its own, and none excludes another', async () => {
  const samples = samplesOf([
    repeat([
      [['x', 'y'], 6],
      [['y'], 3],
      [[], 1],
    ]),
    repeat([
      [['x'], 2],
      [[], 8],
    ]),
  ]);
  const model = replaceHead(await sameBase(), { task: 'multiLabel', labels: ['x', 'y'], dropout: 0 });
  await trainHead(model, samples, { ...training, epochs: 400 });
  const predictions = await predict(model, categories);
  const shares = predictions.map((list) => ['x', 'y'].map((name) => list.find(({ label }) => label === name)));
  expectAll(
    shares.map((list) => list.map((each) => each?.probability)),
    [
      [0.6, 0.9],
      [0.2, 0],
    ],
    2,
  );
  expect(shares.map((list) => list.map((each) => each?.chosen))).toEqual([
    [true, true],
    [false, false],
  ]);
  const { loss, accuracy, perLabel } = await evaluate(model, samples);
  expect(loss).toBeCloseTo((entropy(0.6, 0.4) + entropy(0.9, 0.1) + entropy(0.2, 0.8) + 0) / 4, 2);
  expect(accuracy).toBeCloseTo((6 + 9 + 8 + 10) / 40, 6);
  expect(perLabel.map(({ label, recall, precision }) => [label, recall, precision])).toEqual([
    ['x', 6 / 8, 6 / 10],
    ['y', 1, 9 / 10],
  ]);
});

test('regression: least squares give the mean of each category', async () => {
  const samples = samplesOf([
    repeat([
      [[1, 10], 5],
      [[3, 20], 5],
    ]),
    repeat([[[-2, 0], 10]]),
  ]);
  const model = replaceHead(await sameBase(), { task: 'regression', outputs: ['first', 'second'], dropout: 0 });
  await trainHead(model, samples, { ...training, epochs: 600 });
  const predictions = await predict(model, categories);
  expectAll(
    predictions.map((list) => list.map(({ value }) => value)),
    [
      [2, 15],
      [-2, 0],
    ],
  );
  const { loss, perOutput } = await evaluate(model, samples);
  // Half the examples lie 1 and 5 away from their means.
  expect(loss).toBeCloseTo((0.5 + 12.5) / 2, 3);
  expect(perOutput[0]?.meanSquaredError).toBeCloseTo(0.5, 3);
  expect(perOutput[1]?.rSquared).toBeCloseTo(1 - 12.5 / ((5 * 2.5 ** 2 + 5 * 12.5 ** 2 + 10 * 7.5 ** 2) / 20), 3);
});

test('several heads: each reaches its own optimum, independently of the others', async () => {
  const own = [
    repeat([
      ['a', 4],
      ['b', 6],
    ]),
    repeat([
      ['a', 9],
      ['b', 1],
    ]),
  ];
  const inputs = own.flatMap((list, category) => list.map(() => categories[category] ?? []));
  const samples = fromArrays({
    inputs,
    targets: own.flat().map((kind, i) => ({ kind, size: i < 10 ? 4 : -1, sure: kind === 'a' ? 'yes' : 'no' })),
  });
  const model = replaceHead(await sameBase(), {
    heads: {
      kind: { labels: ['a', 'b'] },
      size: { task: 'regression' },
      sure: { task: 'binary', labels: ['no', 'yes'] },
    },
    dropout: 0,
  });
  await trainHead(model, samples, { ...training, epochs: 300, lossWeights: { size: 0.1 } });
  const predictions = await predict(model, categories);
  expectAll(
    predictions.map(({ kind, size, sure }) => [
      kind.find(({ label }) => label === 'a')?.probability,
      size[0]?.value,
      sure.find(({ label }) => label === 'yes')?.probability,
    ]),
    [
      [0.4, 4, 0.4],
      [0.9, -1, 0.9],
    ],
  );
  const { loss, heads } = await evaluate(model, samples, { lossWeights: { size: 0.1 } });
  const label = (entropy(0.4, 0.6) + entropy(0.9, 0.1)) / 2;
  expect(heads.size.loss).toBeCloseTo(0, 4);
  expect(loss).toBeCloseTo(2 * label, 3);
});

function expectAll(
  actual: readonly (readonly (number | undefined)[])[],
  expected: readonly (readonly number[])[],
  digits = 3,
): void {
  actual.flat().forEach((value, i) => {
    expect(value).toBeCloseTo(expected.flat()[i] ?? NaN, digits);
  });
  expect(actual.flat()).toHaveLength(expected.flat().length);
}
