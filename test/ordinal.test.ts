// The task ordinal against PyTorch's numbers (golden/ordinal.py), on a problem whose optimum is known, and in every
// verb.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  calibrate,
  evaluate,
  fineTune,
  fromArrays,
  load,
  predict,
  replaceHead,
  save,
  toGraphModel,
  trainHead,
  tuneThresholds,
  useBackend,
  type Samples,
  type TrainHeadOptions,
} from '../src/index.ts';
import { settleLoss, smoothTargets } from '../src/losses/losses.ts';
import { encodeTarget } from '../src/model/tasks/encodeTarget.ts';
import { tasks } from '../src/model/tasks/tasks.ts';
import { fileSystem } from '../src/node.ts';
import golden from './golden/ordinal.json' with { type: 'json' };
import { expectNoLeak, raisedBy } from './support/tensors.ts';
import { wave } from './support/tinyModel.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';
import { vectorModel } from './support/vectorModel.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-ordinal-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeAll(async () => {
  await useBackend('cpu');
});

const sizes = ['tiny', 'small', 'middle', 'large', 'huge'];
const rowOf = (values: readonly number[]) => Float32Array.from(values);

function expectClose(actual: ArrayLike<number>, expected: readonly number[], digits: number): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, digits);
  });
}

describe('the numbers of PyTorch', () => {
  const logits = () => wave([golden.labels.length, 4], 3, 0.4);
  const answers = () => {
    const values = logits().dataSync();
    return golden.labels.map((label, row) => ({
      id: String(row),
      logits: rowOf(Array.from(values.subarray(row * 4, row * 4 + 4))),
      target: encodeTarget({ task: 'ordinal', labels: sizes }, label, ''),
      loss: row,
    }));
  };

  test('targets: the share of the labels above each', () => {
    const encode = (target: number | number[] | string) => encodeTarget({ task: 'ordinal', labels: sizes }, target, '');
    golden.labels.forEach((label, row) => {
      expect(Array.from(encode(label))).toEqual(golden.encoded[row]);
      expect(encode(sizes[label] ?? '')).toEqual(encode(label));
    });
    golden.shares.forEach((shares, row) => {
      expectClose(encode(shares), golden.encodedShares[row] ?? [], 6);
      expectClose(tasks.ordinal.labelled.shares(encode(shares)), shares, 6);
    });
  });

  test.each([
    ['of labels', golden.certain, () => tf.tensor2d(golden.encoded)],
    ['of shares', golden.ofShares, () => tf.tensor2d(golden.encodedShares)],
    ['of smoothed labels', golden.smoothed, () => smoothTargets('ordinal', tf.tensor2d(golden.encoded), 0.1)],
  ])('loss and gradient %s', (_, expected, targets) => {
    const own = targets();
    const loss = settleLoss('ordinal');
    const meanLoss = (x: tf.Tensor) => tf.mean<tf.Scalar>(loss.losses(x, own));
    const { value, grad } = tf.valueAndGrad(meanLoss)(tf.slice(logits(), [0, 0], [expected.gradient.length, 4]));
    expect(value.dataSync()[0]).toBeCloseTo(expected.loss, 6);
    expectClose(grad.dataSync(), expected.gradient.flat(), 7);
  });

  test('the loss of the solver is the sum', () => {
    const rows = answers();
    const losses = rows.map(({ logits: own, target }) => tasks.ordinal.rowLoss(own.slice(), target));
    expect(losses.reduce((sum, loss) => sum + loss, 0) / rows.length / 4).toBeCloseTo(golden.certain.loss, 6);
  });

  test('decisions, probabilities, accuracy and the mean absolute error', () => {
    const rows = answers();
    const predictions = rows.map(({ logits: own }) => tasks.ordinal.predictions({ labels: sizes }, own, 5));
    expect(predictions.map((list) => sizes.indexOf(list.find(({ chosen }) => chosen)?.label ?? ''))).toEqual(
      golden.decisions,
    );
    predictions.forEach((list, row) => {
      const byLabel = sizes.map((label) => list.find((each) => each.label === label)?.probability ?? NaN);
      expectClose(byLabel, golden.probabilities[row] ?? [], 6);
    });
    const right = rows.map(({ logits: own, target }) => tasks.ordinal.correct(own, target));
    const accuracy = right.reduce((sum, each) => sum + each, 0) / rows.length;
    expect(accuracy).toBe(golden.accuracy);
    const wanted = { accuracy, topK: 5, worst: 3, baselines: undefined };
    const figures = tasks.ordinal.figures({ labels: sizes }, rows, wanted);
    expect(figures.meanAbsoluteError).toBeCloseTo(golden.meanAbsoluteError, 12);
    expect(figures.worst.map(({ id }) => id)).toEqual(['11', '9', '8']);
  });
});

test('contradictory logits: no negative probability, and the decision is the median', () => {
  const logits = Float32Array.of(-1, 2, -3, 0.5);
  const probabilities = tasks.ordinal.outputs(logits);
  expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(0);
  expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
  const decided = tasks.ordinal.labelled.one.decide(logits);
  expect(decided).toBe(2);
  const below = probabilities.slice(0, decided).reduce((sum, each) => sum + each, 0);
  expect(below).toBeLessThanOrEqual(0.5);
  expect(below + (probabilities[decided] ?? 0)).toBeGreaterThan(0.5);
});

/** Ten examples of each of two categories: so many of each label. */
function counted(): Samples {
  const counts = [
    [5, 3, 2],
    [1, 2, 7],
  ];
  const inputs = counts.flatMap((_, category) => Array.from({ length: 10 }, () => [1 - category, category]));
  const targets = counts.flatMap((own) => own.flatMap((count, label) => new Array<string>(count).fill(String(label))));
  return fromArrays({ inputs, targets });
}

const labels = ['0', '1', '2'];
const entropy = (share: number) => -share * Math.log(share) - (1 - share) * Math.log(1 - share);
const steps: TrainHeadOptions = { epochs: 300, batchSize: 20, learningRate: 0.2 };

test('the optimum: gradients give the frequency of each label', async () => {
  const model = await vectorModel(2, { task: 'ordinal', labels, dropout: 0 });
  expect(model.head.trunk.weights.map(({ shape }) => shape)).toEqual([[2, 2], [2]]);
  await trainHead(model, counted(), steps);
  const [first, second] = await predict(model, [
    [1, 0],
    [0, 1],
  ]);
  const shares = (list: typeof first) =>
    labels.map((name) => list?.find(({ label }) => label === name)?.probability ?? NaN);
  expectClose(shares(first), [0.5, 0.3, 0.2], 2);
  expectClose(shares(second), [0.1, 0.2, 0.7], 2);
  expect(second?.find(({ chosen }) => chosen)?.label).toBe('2');
  const { loss, task, accuracy, meanAbsoluteError, confusion } = await evaluate(model, counted());
  expect(task).toBe('ordinal');
  expect(loss).toBeCloseTo((entropy(0.5) + entropy(0.2) + entropy(0.9) + entropy(0.7)) / 4, 3);
  const errors = confusion.flatMap((row, actual) =>
    row.map((count, predicted) => count * Math.abs(actual - predicted)),
  );
  expect(meanAbsoluteError).toBeCloseTo(errors.reduce((sum, each) => sum + each, 0) / 20, 12);
  expect(accuracy).toBeCloseTo(confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0) / 20, 12);
});

test('the solver fits a logistic regression for each logit, as for multiLabel with the same targets', async () => {
  const solved = await vectorModel(2, { task: 'ordinal', labels });
  const { solver } = await trainHead(solved, counted(), { l2: 0.01 });
  expect(solver?.l2).toBe(0.01);
  const beyond = await vectorModel(2, { task: 'multiLabel', labels: ['beyond 0', 'beyond 1'] });
  const samples = counted();
  const inputs = await Promise.all(Array.from({ length: samples.size }, async (_, i) => (await samples.read(i)).input));
  const targets = inputs.map((_, i) =>
    labels.slice(0, -1).map((label) => Number(Number(samples.target(i)) > Number(label))),
  );
  await trainHead(beyond, fromArrays({ inputs, targets }), { l2: 0.01 });
  expect(weightValues(solved)).toEqual(weightValues(beyond));
});

describe('every verb', () => {
  const ordinal = { task: 'ordinal', labels: tinyLabels } as const;

  test('fineTune: figures of validation, weights of labels, smoothing, mixup', async () => {
    const model = await tinyTransfer(ordinal);
    await trainHead(model, tinySamples(12));
    const log = await fineTune(model, tinySamples(12), {
      epochs: 3,
      validation: tinySamples(6, 9),
      classWeights: 'balanced',
      labelSmoothing: 0.1,
      mixup: 0.2,
      monitor: 'validationAccuracy',
    });
    expect(log.epochs.at(-1)?.validationAccuracy).toBeGreaterThan(0.5);
  });

  test('classWeights weigh an example by its label', async () => {
    const weighed = await vectorModel(2, { task: 'ordinal', labels, dropout: 0 });
    const plain = await vectorModel(2, { task: 'ordinal', labels, dropout: 0 });
    await trainHead(weighed, counted(), { ...steps, epochs: 3, classWeights: { 0: 0, 1: 2, 2: 2 } });
    const samples = counted();
    const weights = Array.from({ length: samples.size }, (_, i) => (samples.target(i) === '0' ? 0 : 2));
    const inputs = await Promise.all(weights.map(async (_, i) => (await samples.read(i)).input));
    const targets = weights.map((_, i) => String(samples.target(i)));
    await trainHead(plain, fromArrays({ inputs, targets, weights }), { ...steps, epochs: 3 });
    expect(weightValues(weighed)).toEqual(weightValues(plain));
  });

  test('baselines', async () => {
    const model = await tinyTransfer(ordinal);
    const { baselines, warnings = [] } = await evaluate(model, tinySamples(4, 3), { baselines: tinySamples(8) });
    expect(baselines?.knn.accuracy).toBeGreaterThan(0.5);
    expect(baselines?.mostFrequent.label).toBe('across');
    expect(warnings.some((text) => text.includes('no better than that of always predicting'))).toBe(true);
  });

  test('a loss no better than the label frequencies is reported as chance', async () => {
    const model = await vectorModel(2, { task: 'ordinal', labels, dropout: 0 });
    for (const weight of model.head.trunk.weights) {
      // Of all labels 6, 5 and 9 of 20 came.
      const value = weight.kind === 'bias' ? tf.tensor1d([14, 9].map((n) => Math.log(n / (20 - n)))) : tf.zeros([2, 2]);
      weight.write(value);
      value.dispose();
    }
    const { loss, warnings = [] } = await evaluate(model, counted());
    expect(loss).toBeCloseTo((entropy(14 / 20) + entropy(9 / 20)) / 2, 5);
    expect(warnings.some((text) => text.includes(`The loss is at chance: ${loss.toFixed(3)}`))).toBe(true);
  });

  test('several heads', async () => {
    const { base } = await tinyTransfer();
    const model = replaceHead(base, { heads: { size: ordinal, kind: { labels: tinyLabels } } });
    expect(model.head.parts.map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [2, 5],
    ]);
    const single = tinySamples(8);
    const inputs = await Promise.all(Array.from({ length: single.size }, async (_, i) => (await single.read(i)).input));
    const targets = inputs.map((_, i) => ({ size: String(single.target(i)), kind: String(single.target(i)) }));
    const samples = fromArrays({ inputs, targets });
    await trainHead(model, samples);
    const { heads } = await evaluate(model, samples);
    expect(heads.size.meanAbsoluteError).toBeLessThan(0.2);
    const { size } = await predict(model, inputs[0]);
    expect(size.find(({ chosen }) => chosen)?.label).toBe(single.target(0));
    expect(Object.keys(await calibrateHeads(model, samples))).toEqual(['kind']);
  });

  /** Calibrates what can be; samples that are all decided right have no temperature. */
  async function calibrateHeads(model: Parameters<typeof calibrate>[0], samples: Samples) {
    const raised = await raisedBy(() => calibrate(model, samples));
    expect(raised).toMatchObject({
      code: 'TOO_FEW_EXAMPLES',
      message: expect.stringContaining("head 'kind'") as string,
    });
    return { kind: raised };
  }

  test('save, load, and the probabilities above each label in plain tfjs', async () => {
    const model = await tinyTransfer(ordinal);
    await trainHead(model, tinySamples());
    const directory = join(root, 'saved');
    await save(model, fileSystem(directory));
    const again = await load(directory, { task: 'ordinal' });
    const input = (await tinySamples().read(4)).input;
    expect(await predict(again, input)).toEqual(await predict(model, input));
    expect(await raisedBy(() => load(directory, { task: 'classes' }))).toMatchObject({
      message: expect.stringContaining("got 'ordinal'. Leave the option task out, or give 'ordinal'.") as string,
    });
    const plain = await loadLayersModel(fileSystem(directory));
    const graphModel = await toGraphModel(model);
    const batch = tf.tensor(input as Float32Array, [1, 16, 16, 3]);
    for (const outputs of [plain.predict(batch), graphModel.predict(batch)]) {
      const beyond = (outputs as tf.Tensor).dataSync();
      expect(beyond).toHaveLength(2);
      const decided = beyond.filter((probability) => probability > 0.5).length;
      expect((await predict(model, input)).find(({ chosen }) => chosen)?.label).toBe(tinyLabels[decided]);
    }
  });

  test('a foreign classifier that ends in sigmoids, if requested', async () => {
    const source = sequential({
      layers: [
        layers.dense({ units: 4, activation: 'relu', inputShape: [2] }),
        layers.dense({ units: 3, activation: 'sigmoid' }),
      ],
    });
    const own = await load(source, { task: 'ordinal', labels: ['a', 'b', 'c', 'd'] });
    source.dispose();
    expect(own.head.parts).toMatchObject([{ task: 'ordinal', from: 0, to: 3 }]);
  });

  test('a classifier with more outputs than a task has is refused', async () => {
    const source = sequential({ layers: [layers.dense({ units: 4, inputShape: [2] }), layers.dense({ units: 3 })] });
    expect(await raisedBy(() => load(source, { task: 'binary', labels: ['no', 'yes'] }))).toMatchObject({
      message: expect.stringContaining("with the outputs of task 'binary' (1), got 3") as string,
    });
    source.dispose();
  });

  test.each([
    ['calibrate', calibrate, /of task 'classes', 'binary' or 'multiLabel', got 'ordinal'\. Label probabilities/],
    ['tuneThresholds', tuneThresholds, /of task 'binary' or 'multiLabel', got 'ordinal'\. The label of an ordinal/],
  ] as const)('%s refuses it by name', async (_, verb, message) => {
    const model = await tinyTransfer(ordinal);
    expect(await raisedBy(() => verb(model, tinySamples()))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(message) as string,
    });
  });

  test('invalid options are refused as for classes', async () => {
    const { base } = await tinyTransfer();
    expect(await raisedBy(() => replaceHead(base, { task: 'ordinal', labels: ['one'] }))).toMatchObject({
      code: 'TOO_FEW_CLASSES',
      message: expect.stringContaining("two or more labels for task 'ordinal'") as string,
    });
    const model = await expectNoLeak(() => replaceHead(base, ordinal), 2);
    expect(await raisedBy(() => trainHead(model, tinySamples(), { loss: 'huber' }))).toMatchObject({
      message: expect.stringContaining("a loss for task 'ordinal', got 'huber', which is for regression") as string,
    });
  });
});
