// tuneThresholds: thresholds that are best on samples, kept in the model, followed by evaluate and predict.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  calibrate,
  evaluate,
  fromArrays,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  tuneThresholds,
  type Samples,
  type TaskName,
  type TransferModel,
} from '../src/index.ts';
import { randomGenerator } from '../src/core/random.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinyTransfer } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

const marks = ['striped', 'rare'];

/** Pictures that are striped or not, and a mark that few have and training hardly finds. */
function marked(seed: number, count = 30): Samples {
  const random = randomGenerator(seed);
  const kinds = Array.from({ length: count }, (_, i) => i % 3);
  return fromArrays({
    inputs: kinds.map((kind) => tinyPicture(tinyLabels[kind] ?? '', random)),
    targets: kinds.map((kind, i) => [...(kind < 2 ? ['striped'] : []), ...(kind === 1 && i % 2 === 0 ? ['rare'] : [])]),
    labels: marks,
  });
}

async function trained(): Promise<TransferModel<'multiLabel'>> {
  const model = await tinyTransfer({ task: 'multiLabel', labels: marks, dropout: 0 });
  await trainHead(model, marked(1), { epochs: 20, learningRate: 0.05 });
  return model;
}

async function saved(model: TransferModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler((given) => {
    artifacts = structuredClone(given);
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
  });
  await save(model, handler);
  return artifacts;
}

async function f1Of(model: TransferModel<'multiLabel'>, samples: Samples) {
  return (await evaluate(model, samples)).perLabel.map(({ f1 }) => f1);
}

test('each label gets the largest F1 of all thresholds, as evaluate confirms', async () => {
  const model = await trained();
  const samples = marked(2);
  const before = await f1Of(model, samples);
  const tuned = await expectNoLeak(() => tuneThresholds(model, samples));
  expect(tuned.map(({ label }) => label)).toEqual(marks);
  expect(tuned.map((each) => each.before)).toEqual(before);
  expect(tuned.map((each) => each.after)).toEqual(await f1Of(model, samples));
  expect(tuned[1]!.after).toBeGreaterThan(tuned[1]!.before);
  expect(model.head.parts[0]?.thresholds).toEqual(tuned.map(({ threshold }) => threshold));
  // By hand, from what predict says.
  const said = await Promise.all(
    Array.from({ length: samples.size }, async (_, i) => {
      const { input, target } = await samples.read(i);
      const list = await predict(model, input);
      const probability = list.find(({ label }) => label === 'rare')?.probability ?? NaN;
      return { probability, applies: [target].flat().includes('rare') };
    }),
  );
  const f1 = (threshold: number) => {
    const chosen = said.filter(({ probability }) => probability > threshold);
    const right = chosen.filter(({ applies }) => applies).length;
    return (2 * right) / (chosen.length + said.filter(({ applies }) => applies).length);
  };
  expect(Math.max(...said.map(({ probability }) => f1(probability - 1e-7)))).toBeCloseTo(tuned[1]!.after, 10);
  model.dispose();
});

test('accuracy can be tuned, and figures of training use the thresholds', async () => {
  const model = await trained();
  const samples = marked(2);
  const tuned = await tuneThresholds(model, samples, { metric: 'accuracy' });
  const { accuracy } = await evaluate(model, samples);
  expect(accuracy).toBeCloseTo((tuned[0]!.after + tuned[1]!.after) / 2, 10);
  model.dispose();
});

test('predict returns the decisions, and probabilities are unchanged', async () => {
  const model = await trained();
  const { input } = await marked(2).read(4);
  const before = await predict(model, input);
  expect(before.map(({ probability, chosen }) => chosen === probability > 0.5)).toEqual([true, true]);
  const thresholds = before.map(({ probability }, i) => probability + (i === 0 ? 0.001 : -0.001));
  model.head.parts[0]!.thresholds = marks.map(
    (mark) => thresholds[before.findIndex(({ label }) => label === mark)] ?? NaN,
  );
  const after = await predict(model, input);
  expect(after.map(({ chosen }) => chosen)).toEqual([false, true]);
  expect(after.map(({ label, probability }) => [label, probability])).toEqual(
    before.map(({ label, probability }) => [label, probability]),
  );
  model.dispose();
});

test('one logit has one threshold, for the second label', async () => {
  const labels = ['flat', 'striped'];
  const model = await tinyTransfer({ task: 'binary', labels, dropout: 0 });
  const random = randomGenerator(6);
  const kinds = Array.from({ length: 24 }, (_, i) => i % 3);
  const samples = fromArrays({
    inputs: kinds.map((kind) => tinyPicture(tinyLabels[kind] ?? '', random)),
    targets: kinds.map((kind) => (kind === 0 ? 'striped' : 'flat')),
    labels,
  });
  await trainHead(model, samples, { epochs: 2 });
  const [tuned, ...others] = await tuneThresholds(model, samples, { metric: 'accuracy' });
  expect(others).toEqual([]);
  expect(tuned?.label).toBe('striped');
  const { accuracy, topKAccuracy, confusion, worst } = await evaluate(model, samples, { topK: 1, worst: 100 });
  expect(accuracy).toBeCloseTo(tuned?.after ?? NaN, 10);
  expect(topKAccuracy).toBe(accuracy);
  expect((confusion[0]![0]! + confusion[1]![1]!) / 24).toBe(accuracy);
  expect(worst.length).toBe(Math.round(24 * (1 - accuracy)));
  for (let i = 0; i < 6; i++) {
    const list = await predict(model, (await samples.read(i)).input);
    const striped = list.find(({ label }) => label === 'striped');
    expect(striped?.chosen).toBe((striped?.probability ?? NaN) > (tuned?.threshold ?? NaN));
    expect(list.filter(({ chosen }) => chosen === true)).toHaveLength(1);
  }
  model.dispose();
});

test('thresholds are saved and loaded, and one half is not', async () => {
  const model = await trained();
  const untouched = await load(tf.io.fromMemory(await saved(model)), { task: 'multiLabel' });
  expect(untouched.head.parts[0]?.thresholds).toBeUndefined();
  untouched.dispose();
  await tuneThresholds(model, marked(2));
  const again = await load(tf.io.fromMemory(await saved(model)), { task: 'multiLabel' });
  expect(again.head.parts[0]?.thresholds).toEqual(model.head.parts[0]?.thresholds);
  expect(await evaluate(again, marked(3))).toEqual(await evaluate(model, marked(3)));
  again.dispose();
  model.dispose();
});

test('thresholds that are damaged are refused', async () => {
  const model = await trained();
  await tuneThresholds(model, marked(2));
  const artifacts = await saved(model);
  const metadata = artifacts.userDefinedMetadata as { transferkit: { thresholds: unknown } };
  metadata.transferkit.thresholds = [0.5, 2];
  await expect(load(tf.io.fromMemory(artifacts), { task: 'multiLabel' })).rejects.toMatchObject({
    code: 'NOT_A_MODEL',
    message: expect.stringContaining("a damaged field 'thresholds'") as string,
  });
  model.dispose();
});

test('multi-label and binary heads among several have them, after save and load too', async () => {
  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2' });
  source.dispose();
  const model = replaceHead(base, {
    heads: {
      kind: { labels: tinyLabels },
      marks: { task: 'multiLabel', labels: marks },
      size: { task: 'regression' },
    },
  });
  const single = marked(5);
  const samples = fromArrays({
    inputs: await Promise.all(Array.from({ length: single.size }, async (_, i) => (await single.read(i)).input)),
    targets: Array.from({ length: single.size }, (_, i) => {
      return { kind: tinyLabels[i % 3] ?? '', marks: single.target(i) as readonly string[], size: i / 10 };
    }),
  });
  await trainHead(model, samples, { epochs: 10 });
  const tuned = await expectNoLeak(() => tuneThresholds(model, samples));
  expect(Object.keys(tuned)).toEqual(['marks']);
  const { heads } = await evaluate(model, samples);
  expect(heads.marks.perLabel.map(({ f1 }) => f1)).toEqual(tuned.marks.map(({ after }) => after));
  let artifacts: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler((given) => {
    artifacts = structuredClone(given);
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
  });
  await save(model, handler);
  const task = { kind: 'classes', marks: 'multiLabel', size: 'regression' } as const;
  const again = await load(tf.io.fromMemory(artifacts), { task });
  expect(again.head.parts.map(({ thresholds }) => thresholds)).toEqual([
    undefined,
    tuned.marks.map(({ threshold }) => threshold),
    undefined,
  ]);
  again.dispose();
  model.dispose();
});

test('calibrate adjusts thresholds so that decisions stay the same', async () => {
  const model = await trained();
  const samples = marked(2);
  const tuned = await tuneThresholds(model, samples);
  const before = await evaluate(model, samples);
  const { temperature } = await calibrate(model, samples);
  const after = await evaluate(model, samples);
  expect(after.perLabel).toEqual(before.perLabel);
  const odds = (p: number) => Math.log(p / (1 - p));
  model.head.parts[0]?.thresholds?.forEach((threshold, i) => {
    expect(odds(threshold)).toBeCloseTo(odds(tuned[i]!.threshold) / temperature, 6);
  });
  model.dispose();
});

describe('refused', () => {
  const cases: [TaskName, object, RegExp][] = [
    [
      'classes',
      {},
      /of task 'binary' or 'multiLabel', got 'classes'\. One of several classes is the most probable one/,
    ],
    ['regression', {}, /got 'regression'/],
    ['multiLabel', { metric: 'F1' }, /expected metric to be 'f1' or 'accuracy', got 'F1'/],
    ['multiLabel', { batchSize: 0 }, /batchSize to be a whole number from 1, got 0/],
  ];
  test.each(cases)('%s with %j', async (task, options, text) => {
    const model = await tinyTransfer({ task, ...(task === 'multiLabel' ? { labels: marks } : {}) });
    await expectNoLeak(async () => {
      await expect(tuneThresholds(model, marked(2), options)).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(text) as string,
      });
    });
    model.dispose();
  });
});
