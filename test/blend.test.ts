// blend: weights between a fine-tuned model and the one before it, by the verb and at the end of fineTune.
import * as tf from '@tensorflow/tfjs-core';
import { constraints, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  blend,
  evaluate,
  fineTune,
  freeze,
  fromArrays,
  load,
  loadBase,
  replaceHead,
  save,
  trainHead,
  type AnyModel,
  type BlendOptions,
  type FineTuneOptions,
  type TransferModel,
} from '../src/index.ts';
import { randomGenerator } from '../src/core/random.ts';
import type { HeadPart } from '../src/model/model.ts';
import { blendEnds, readEnds } from '../src/training/run/blendWeights.ts';
import { expectNoLeak, raisedBy } from './support/tensors.ts';
import { asTested, useTestBackend } from './support/testBackend.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

beforeAll(useTestBackend);

const samples = tinySamples(5);
const validation = tinySamples(4, 9);
const brief: FineTuneOptions = {
  epochs: 2,
  batchSize: 4,
  learningRate: 3e-3,
  unfreeze: { lastStages: 2 },
  schedule: 'oneCycle',
  augment: 'none',
  blend: false,
  restoreBest: true,
};

/** A copy of a model, through its file. */
async function copyOf(model: AnyModel): Promise<TransferModel<'classes'>> {
  let saved: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler((artifacts) => {
    saved = artifacts;
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
  });
  await save(model, handler);
  return asTested(await load(tf.io.fromMemory(saved), { task: 'classes' }));
}

/** A fine-tuned model, and the one before fine-tuning. */
async function pair(options: FineTuneOptions = brief) {
  const model = await tinyTransfer();
  await trainHead(model, samples);
  const before = await copyOf(model);
  await fineTune(model, samples, options);
  return { model, before };
}

/** Adds something to all weights of a model that may change and that are no statistics. */
function disturb({ base, head }: AnyModel, scale: number): void {
  for (const weight of [...base.trunk.weights, ...head.trunk.weights]) {
    if (weight.frozen || weight.kind === 'statistics') continue;
    tf.tidy(() => {
      weight.variable.assign(tf.add(weight.variable, tf.randomNormal([...weight.shape], 0, scale, 'float32', 3)));
    });
  }
}

/** All weights of a model by name. */
const weightsOf = ({ base, head }: AnyModel): Record<string, number[]> =>
  Object.fromEntries(
    [...base.trunk.weights, ...head.trunk.weights].map(({ name, variable }) => [name, Array.from(variable.dataSync())]),
  );

/** All that a refusal must not touch. */
const stateOf = (model: AnyModel) => ({
  weights: weightsOf(model),
  frozen: [...model.base.trunk.weights, ...model.head.trunk.weights].map(({ frozen }) => frozen),
  history: structuredClone(model.history),
});

type Weights = ReturnType<typeof weightValues>;

/** The formula, in double precision. */
function between(before: Weights, after: Weights, alpha: number): Weights {
  const mix = (name: string) =>
    (after[name] ?? []).map((value, place) =>
      Math.fround((1 - alpha) * (before[name]?.[place] ?? NaN) + alpha * value),
    );
  return Object.fromEntries(Object.keys(after).map((name) => [name, mix(name)]));
}

/** Exact, the sign of 0 too. */
function expectSameBits(actual: Weights, expected: Weights): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(actual)) {
    const wrong = values.findIndex((value, place) => !Object.is(value, expected[name]?.[place]));
    expect(wrong, name).toBe(-1);
  }
}

describe('the verb', () => {
  test.each([0, 0.3, 0.5, 1])('with alpha %d gives the weights of the formula', async (alpha) => {
    const { model, before } = await pair();
    const [first, last] = [weightValues(before), weightValues(model)];
    const isFrozen = model.base.trunk.weights.filter(({ frozen }) => frozen);
    expect(isFrozen.length).toBeGreaterThan(0);
    expect(last).not.toEqual(first);
    expect(await expectNoLeak(() => blend(model, before, { alpha }))).toEqual({ alpha, tried: [] });
    expectSameBits(weightValues(model), between(first, last, alpha));
    for (const { name } of isFrozen) expect(weightValues(model)[name]).toEqual(first[name]);
    expectSameBits(weightValues(before), first);
    if (alpha === 0) expectSameBits(weightValues(model), first);
    if (alpha === 1) expectSameBits(weightValues(model), last);
    model.dispose();
    before.dispose();
  });

  test('keeps a 0 without sign and one with it apart', async () => {
    const { model, before } = await pair();
    const [weight] = model.head.trunk.weights;
    const other = before.head.trunk.weights.find(({ name }) => name === weight?.name);
    weight?.variable.assign(tf.zeros(weight.variable.shape));
    other?.variable.assign(tf.mul(tf.zeros(other.variable.shape), -1));
    const first = weightValues(before);
    await blend(model, before, { alpha: 0 });
    expectSameBits(weightValues(model), first);
    model.dispose();
    before.dispose();
  });

  test('takes one half without options, and the log in the saved file says so', async () => {
    const { model, before } = await pair();
    const expected = between(weightValues(before), weightValues(model), 0.5);
    const result = await blend(model, before);
    expect(result).toEqual({ alpha: 0.5, tried: [] });
    expectSameBits(weightValues(model), expected);
    expect(model.history.map((log) => log.blend)).toEqual([undefined, result]);
    const again = await copyOf(model);
    expectSameBits(weightValues(again), expected);
    expect(again.history.at(-1)?.blend).toEqual(result);
    const second = await blend(model, before, { alpha: 0.25 });
    expect(second).toEqual({ alpha: 0.25, tried: [], earlier: result });
    expect(model.history.at(-1)?.blend).toEqual(second);
    for (const each of [model, before, again]) each.dispose();
  });

  test('chooses the lowest loss of five shares, as evaluate measures them', async () => {
    const { model, before } = await pair();
    const [first, last] = [weightValues(before), weightValues(model)];
    const { alpha, tried, warnings } = await expectNoLeak(() => blend(model, before, { validation, batchSize: 5 }));
    expect(tried.map((each) => each.alpha)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(warnings).toEqual([expect.stringMatching(/^Fewer than 5 validation examples of across \(4\)/)]);
    const best = tried.reduce((a, b) => (b.loss < a.loss ? b : a));
    expect(alpha).toBe(best.alpha);
    expectSameBits(weightValues(model), between(first, last, alpha));
    const measured = await evaluate(model, validation, { batchSize: 5 });
    expect([measured.loss, measured.accuracy]).toEqual([best.loss, best.accuracy]);
    const other = await evaluate(before, validation, { batchSize: 5 });
    expect(other.loss).toBe(tried[0]?.loss);
    model.dispose();
    before.dispose();
  });

  test('returns to a good model from a ruined one, and keeps a good one beside a ruined one', async () => {
    const { model, before } = await pair();
    const last = weightValues(model);
    disturb(before, 5);
    expect(await blend(model, before, { validation })).toMatchObject({ alpha: 1 });
    expectSameBits(weightValues(model), last);
    const good = await copyOf(model);
    disturb(model, 5);
    expect(await blend(model, good, { validation })).toMatchObject({ alpha: 0 });
    expectSameBits(weightValues(model), last);
    for (const each of [model, before, good]) each.dispose();
  });

  test('validates on examples of one label', async () => {
    const { model, before } = await pair();
    const inputs = await Promise.all([0, 3, 6].map(async (index) => (await validation.read(index)).input));
    const one = fromArrays({ inputs, targets: ['across', 'across', 'across'] });
    const { tried, warnings } = await blend(model, before, { validation: one });
    expect(tried.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/across \(3\), along \(0\), plain \(0\)/)]);
    model.dispose();
    before.dispose();
  });

  test('blends two heads on one base', async () => {
    const model = await tinyTransfer();
    const other = replaceHead(model.base, { labels: tinyLabels });
    await trainHead(model, samples, { l2: 1 });
    await trainHead(other, samples, { l2: 1e-3 });
    const kernels = () =>
      [model, other].map((each) => Array.from(each.head.trunk.weights[0]?.variable.dataSync() ?? []));
    const [first = [], second = []] = kernels();
    await blend(model, other, { alpha: 0.75 });
    expect(kernels()[0]).toEqual(
      first.map((value, place) => Math.fround(0.25 * (second[place] ?? NaN) + 0.75 * value)),
    );
    model.dispose();
    other.dispose();
  });

  test('blends a GraphModel', async () => {
    const base = await loadBase(tinyGraph(), { cut: 'net/pool', preprocess: 'raw' });
    const model = asTested(replaceHead(base, { labels: ['a', 'b'] }));
    const random = randomGenerator(3);
    const inputs = Array.from({ length: 12 }, (_, i) =>
      Float32Array.from({ length: 192 }, () => random() * (i % 2 === 0 ? 255 : 100)),
    );
    const tensors = inputs.map((values) => tf.tensor3d(values, [8, 8, 3]));
    const examples = fromArrays({ inputs: tensors, targets: inputs.map((_, i) => (i % 2 === 0 ? 'a' : 'b')) });
    await trainHead(model, examples);
    const before = await copyOf(model);
    await fineTune(model, examples, { epochs: 2, batchSize: 4, blend: false });
    const expected = between(weightValues(before), weightValues(model), 0.25);
    await expectNoLeak(() => blend(model, before, { alpha: 0.25 }));
    expectSameBits(weightValues(model), expected);
    for (const each of [model, before, ...tensors]) each.dispose();
  });

  test('applies constraints', async () => {
    const source = tinyModel();
    const base = await loadBase(source, { cut: 'gap' });
    source.dispose();
    const kernelConstraint = constraints.unitNorm({ axis: 0 });
    const head = sequential({
      layers: [layers.dense({ inputShape: [12], units: 3, name: 'logits', kernelConstraint })],
    });
    const model = replaceHead(base, { labels: tinyLabels, model: head });
    await trainHead(model, samples, { epochs: 1 });
    const before = await copyOf(model);
    await fineTune(model, samples, { ...brief, learningRate: 0.1 });
    await blend(model, before, { alpha: 0.5 });
    const kernel = model.head.trunk.weights.find(({ kind }) => kind === 'kernel');
    const norms = tf.tidy(() => tf.sqrt(tf.sum(tf.square(kernel?.variable ?? tf.scalar(0)), 0)).dataSync());
    for (const norm of norms) expect(norm).toBeCloseTo(1, 5);
    model.dispose();
    before.dispose();
  });
});

describe('the verb refuses, and leaves both models as they were:', () => {
  /** What a call raises. */
  async function refused(
    { model, before }: { model: AnyModel; before: AnyModel },
    expected: { code: string; message: RegExp },
    options?: BlendOptions,
  ) {
    const states = [stateOf(model), stateOf(before)];
    const raised = await raisedBy(() => blend(model, before, options));
    expect(raised).toMatchObject({ code: expected.code, message: expect.stringMatching(expected.message) as unknown });
    expect([stateOf(model), stateOf(before)]).toEqual(states);
    if (before !== model) before.dispose();
    model.dispose();
  }
  const invalid = (message: RegExp) => ({ code: 'INVALID_OPTION', message });

  test.each<[string, BlendOptions, RegExp]>([
    ['an alpha above 1', { alpha: 1.5 }, /alpha to be a number from 0 to 1, got 1\.5/],
    ['an alpha below 0', { alpha: -0.1 }, /alpha to be a number from 0 to 1, got -0\.1/],
    ['an alpha that is no number', { alpha: NaN }, /alpha to be a number from 0 to 1, got NaN/],
    ['both ways to choose', { alpha: 0.5, validation }, /alpha or validation/],
    ['a batch of none', { batchSize: 0 }, /batchSize to be a whole number from 1/],
    ['validation by a share', { validation: 0.5 as never }, /expected samples/],
  ])('%s', async (_, options, message) => refused(await pair(), invalid(message), options));

  test('validation examples of other labels, and too few', async () => {
    const other = fromArrays({ inputs: [new Float32Array(768)], targets: ['none'] });
    await refused(await pair(), { code: 'UNKNOWN_LABEL', message: /none/ }, { validation: other });
    const few = fromArrays({ inputs: [new Float32Array(768)], targets: ['along'] });
    await refused(await pair(), { code: 'TOO_FEW_EXAMPLES', message: /got 1 to validate on/ }, { validation: few });
  });

  test('the same model twice', async () => {
    const { model, before } = await pair();
    before.dispose();
    await refused({ model, before: model }, invalid(/the same model twice/));
  });

  test('a head that was never trained', async () => {
    const model = await tinyTransfer();
    const before = await copyOf(model);
    await fineTune(model, samples, { ...brief, headEpochs: 0 });
    await refused({ model, before }, invalid(/model before whose head was never trained/));
  });

  test('a model without a log', async () => {
    const { model, before } = await pair();
    model.history = [];
    await refused({ model, before }, invalid(/without a log of training/));
  });

  test('other labels, heads and networks', async () => {
    const { model, before } = await pair();
    const labels = await tinyTransfer({ labels: ['across', 'plain', 'along'] });
    await trainHead(labels, samples);
    await refused({ model, before: labels }, invalid(/differ in labels/));
    const hidden = await tinyTransfer({ hidden: [4] });
    await trainHead(hidden, samples, { epochs: 1 });
    await refused({ model: before, before: hidden }, invalid(/differ in .*layers\.head/));
    const [one, two] = [await pair(), await tinyTransfer({}, 'block_1_add')];
    await trainHead(two, samples);
    one.before.dispose();
    await refused(
      { model: one.model, before: two },
      invalid(/differ in .*cut \(.?relu2.? here, .?block_1_add.? there\)/),
    );
  });

  test('statistics of BatchNorm that differ', async () => {
    await refused(await pair({ ...brief, batchNorm: 'train' }), invalid(/statistics of BatchNorm, got '\w+\/moving_/));
  });

  test('frozen weights that differ', async () => {
    const { model, before } = await pair();
    freeze(model);
    await refused({ model, before }, invalid(/frozen weights to be the same.*Call unfreeze\(model\)/));
  });

  test('a base that another model has too', async () => {
    const { model, before } = await pair();
    const frozen = model.base.trunk.weights.filter((weight) => !weight.frozen);
    freeze(model);
    const other = replaceHead(model.base, { labels: tinyLabels });
    for (const weight of frozen) weight.frozen = false;
    await refused({ model, before }, { code: 'BASE_SHARED', message: /2 models share/ });
    other.dispose();
  });

  test('outputs that are not finite', async () => {
    const { model, before } = await pair();
    const [weight] = before.head.trunk.weights;
    weight?.variable.assign(tf.fill(weight.variable.shape, NaN));
    await refused({ model, before }, { code: 'NOT_FINITE', message: /finite outputs/ }, { validation });
  });

  test('what a callback raises', async () => {
    const onProgress = ({ done }: { done: number }) => {
      if (done > 0) throw Object.assign(new Error('stop'), { code: 'mine' });
    };
    await refused(await pair(), { code: 'mine', message: /stop/ }, { validation, onProgress });
  });

  test('models that another verb changes', async () => {
    const { model, before } = await pair();
    for (const each of [model, before]) {
      const running = fineTune(each, samples, { ...brief, epochs: 1 });
      const raised = await raisedBy(() => blend(model, before).finally(() => running));
      expect(raised).toMatchObject({ code: 'BUSY', message: expect.stringMatching(/while fineTune runs/) as unknown });
    }
    const blending = blend(model, before);
    await expect(trainHead(before, samples)).rejects.toMatchObject({ code: 'BUSY' });
    await blending;
    model.dispose();
    before.dispose();
  });

  test('models that are disposed of, before the call and during it', async () => {
    const { model, before } = await pair();
    const weights = weightValues(model);
    const onProgress = () => {
      before.dispose();
    };
    await expect(blend(model, before, { validation, onProgress })).rejects.toMatchObject({ code: 'DISPOSED' });
    expectSameBits(weightValues(model), weights);
    await expect(blend(model, before)).rejects.toMatchObject({ code: 'DISPOSED' });
    model.dispose();
    await expect(blend(model, before)).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('fineTune', () => {
  /** A fine-tuned model with a trained head, and its log. */
  async function tuned(options: FineTuneOptions) {
    const model = await tinyTransfer();
    await trainHead(model, samples, { l2: 1 });
    const first = weightValues(model);
    const log = await expectNoLeak(() => fineTune(model, samples, { ...brief, ...options }));
    const last = weightValues(model);
    model.dispose();
    return { first, last, log };
  }

  test.each([
    ['the last weights', {}],
    ['the best epoch', { validation, learningRate: 0.03, epochs: 3 }],
    ['the averages', { ema: { decay: 0.7 } }],
  ])('with a given alpha blends with %s', async (_, options) => {
    const plain = await tuned(options);
    const blended = await tuned({ ...options, blend: { alpha: 0.25 } });
    expect(plain.log.blend).toBeUndefined();
    expect(blended.log.blend).toEqual({ alpha: 0.25, tried: [] });
    expectSameBits(blended.last, between(plain.first, plain.last, 0.25));
    expect(blended.last).not.toEqual(plain.last);
  });

  test('takes one half without validation', async () => {
    const plain = await tuned({});
    const blended = await tuned({ blend: true });
    expect(blended.log.blend).toEqual({ alpha: 0.5, tried: [] });
    expectSameBits(blended.last, between(plain.first, plain.last, 0.5));
  });

  test.each<[string, FineTuneOptions]>([
    ['kept features', {}],
    ['features that are computed again', { cache: false }],
    ['the whole network', { unfreeze: 'base' }],
    ['a focal loss', { loss: 'focal' }],
    [
      'steps of unfreezing',
      {
        unfreeze: [
          { epoch: 0, lastStages: 1 },
          { epoch: 1, lastStages: 2 },
        ],
      },
    ],
  ])('lets validation choose, with %s', async (_, options) => {
    const given = { ...options, validation };
    const plain = await tuned(given);
    const { first, last, log } = await tuned({ ...given, blend: true });
    const { alpha = NaN, tried = [] } = log.blend ?? {};
    expect(tried.map((each) => each.alpha)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(tried[0]?.loss).toBe(log.before?.validationLoss);
    expect(tried[4]?.loss).toBe(log.best?.value);
    expect(alpha).toBe(tried.reduce((a, b) => (b.loss < a.loss ? b : a)).alpha);
    expect(tried.every(({ accuracy = NaN }) => accuracy >= 0 && accuracy <= 1)).toBe(true);
    expect({ ...log, blend: undefined, seconds: 0 }).toMatchObject({ best: plain.log.best, before: plain.log.before });
    expectSameBits(first, plain.first);
    expectSameBits(last, between(plain.first, plain.last, alpha));
  });

  test('solves a new head, and blends with that', async () => {
    const model = await tinyTransfer();
    const log = await fineTune(model, samples, { ...brief, blend: { alpha: 0 } });
    const solved = await tinyTransfer();
    await trainHead(solved, samples);
    expectSameBits(weightValues(model), weightValues(solved));
    expect(model.history.map(({ phase }) => phase)).toEqual(['head', 'fineTune']);
    expect(model.history.at(-1)).toEqual(log);
    model.dispose();
    solved.dispose();
  });

  test('does not blend what its signal stops', async () => {
    const stop = new AbortController();
    const onEpoch = () => {
      stop.abort();
    };
    const plain = await tuned({ signal: stop.signal, onEpoch });
    const again = new AbortController();
    const onNext = () => {
      again.abort();
    };
    const { last, log } = await tuned({ signal: again.signal, onEpoch: onNext, blend: { alpha: 0 } });
    expect([log.stoppedBy, log.blend]).toEqual(['signal', undefined]);
    expectSameBits(last, plain.last);
  });

  test.each<[string, FineTuneOptions, RegExp]>([
    ['an alpha above 1', { blend: { alpha: 2 } }, /blend\.alpha to be a number from 0 to 1, got 2/],
    ['an alpha that is no number', { blend: { alpha: NaN } }, /blend\.alpha to be a number from 0 to 1, got NaN/],
    ['no alpha', { blend: {} as never }, /blend\.alpha to be a number from 0 to 1, got undefined/],
    ['an unknown name', { blend: { alhpa: 1 } as never }, /options of blend, got 'alhpa'\. Nearest: alpha/],
    ['a number', { blend: 0.5 as never }, /blend to be true, false or \{ alpha \}, got 0\.5/],
    ['a head that is not trained first', { blend: true, headEpochs: 0 }, /trained head for blend/],
    [
      'statistics of the batch',
      { blend: true, batchNorm: 'train' },
      /BatchNorm statistics that stay the same for blend/,
    ],
  ])('refuses %s before anything moves', async (_, options, message) => {
    const model = await tinyTransfer();
    const before = stateOf(model);
    const raised = await raisedBy(() => fineTune(model, samples, { ...brief, ...options }));
    expect(raised).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) as unknown });
    expect(stateOf(model)).toEqual(before);
    model.dispose();
  });

  test('refuses a frozen head that was never trained', async () => {
    const model = await tinyTransfer();
    freeze(model, 'head');
    const raised = await raisedBy(() => fineTune(model, samples, { ...brief, blend: true }));
    expect(raised).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(/trained head/) as unknown });
    model.dispose();
  });
});

describe('the choice', () => {
  /** The share that is chosen by these losses. */
  async function chosenBy(losses: readonly number[]): Promise<number> {
    const model = await tinyTransfer();
    const left = [...losses];
    const values = model.head.trunk.weights.map(({ shape }) => tf.ones([...shape]));
    const pairs = model.head.trunk.weights.map((weight, place) => [weight, values[place] ?? tf.scalar(0)] as const);
    const measure = () => {
      const loss = left.shift() ?? NaN;
      const values = { logits: Float32Array.of(0), target: Float32Array.of(0), headLosses: [loss], weight: 1, id: '' };
      return Promise.resolve({ loss, accuracy: undefined, judgements: [{ ...values, loss }] });
    };
    const parts: HeadPart[] = [{ name: '', task: 'regression', labels: [], from: 0, to: 1 }];
    const { alpha, tried } = await blendEnds(await readEnds(pairs), undefined, measure, parts);
    expect(tried.map(({ loss }) => loss)).toEqual(losses);
    tf.dispose(values);
    model.dispose();
    return alpha;
  }

  test.each<[readonly number[], number]>([
    [[3, 2, 1, 2, 3], 0.5],
    [[1, 2, 3, 4, 5], 0],
    [[5, 4, 3, 2, 1], 1],
    [[1, 1, 1, 1, 1], 0.5],
    [[2, 1, 3, 1, 2], 0.25],
    [[1, 2, 2, 2, 1], 0],
    [[1, 2, 2, 1, 1], 0.75],
    [[NaN, 2, NaN, 1, Infinity], 0.75],
  ])('by losses %j is %d', async (losses, alpha) => {
    expect(await chosenBy(losses)).toBe(alpha);
  });
});
