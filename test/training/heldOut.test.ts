// What fineTune holds out for validation when the user says nothing: a tenth where the samples allow it, and what the log
// says about it.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  fromArrays,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  type FineTuneOptions,
  type Samples,
  type Target,
  type TransferModel,
} from '../../src/index.ts';
import { holdOut } from '../../src/training/run/holdOut.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyModel } from '../support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(useTestBackend);

const quick: FineTuneOptions = { epochs: 1, unfreeze: { lastStages: 1 }, restoreBest: true };

/** Pictures with any targets. */
function picturesOf(targets: readonly Target[], labels?: readonly string[]): Samples {
  const random = randomGenerator(4);
  const inputs = targets.map((_, i) => tinyPicture(tinyLabels[i % 3] ?? '', random));
  return fromArrays({ inputs, targets, ...(labels && { labels }) });
}

/** Labels with a number of examples each, in turn. */
const labelled = (counts: Readonly<Record<string, number>>) =>
  picturesOf(Object.entries(counts).flatMap(([label, count]) => Array.from({ length: count }, () => label)));

async function headOf(samples: Samples, task: 'classes' | 'multiLabel' = 'classes'): Promise<TransferModel> {
  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2' });
  source.dispose();
  return replaceHead(base, { task, labels: samples.labels });
}

async function heldOf(samples: Samples, task: 'classes' | 'multiLabel' = 'classes') {
  const model = await headOf(samples, task);
  try {
    const { train, validation, held } = holdOut(model, samples, { validation: 'auto', seed: 1 });
    return { train: train.classCounts, validation: validation?.classCounts, held };
  } finally {
    model.dispose();
  }
}

describe("'auto' holds out", () => {
  test('a tenth, and at least three of each label', async () => {
    expect(await heldOf(labelled({ a: 100, b: 30, c: 12 }))).toMatchObject({
      validation: { a: 10, b: 3, c: 3 },
      train: { a: 90, b: 27, c: 9 },
      held: { by: 'auto', examples: 16 },
    });
  });

  test('at most a quarter of a label that is smaller, where nine of ten labels are not', async () => {
    const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`label ${String(i)}`, 12]));
    const { validation } = await heldOf(labelled({ ...many, small: 5 }));
    expect(validation).toMatchObject({ small: 1, 'label 0': 3, 'label 9': 3 });
  });

  test.each<[string, Record<string, number>, string]>([
    ['three pictures', { a: 1, b: 1, c: 1 }, '3 of 3 labels have fewer than 12 examples'],
    ['one of each label', { a: 1, b: 1, c: 1, d: 1 }, '4 of 4 labels'],
    ['one label that is small', { a: 100, b: 11 }, '1 of 2 labels'],
  ])('nothing of %s', async (_, counts, text) => {
    const { held, validation } = await heldOf(labelled(counts));
    expect(validation).toBeUndefined();
    expect(held).toEqual({ by: 'auto', obstacle: expect.stringContaining(text) as string });
  });

  test('at least three of each of several labels, and leaves half of each', async () => {
    const own = (i: number) => ['a', ...(i % 4 === 0 ? ['b'] : []), ...(i % 5 === 0 ? ['c'] : [])];
    const { held, train, validation } = await heldOf(
      picturesOf(Array.from({ length: 80 }, (_, i) => own(i))),
      'multiLabel',
    );
    expect(held).toMatchObject({ by: 'auto', examples: expect.any(Number) as number });
    for (const label of ['a', 'b', 'c']) {
      expect(validation?.[label]).toBeGreaterThanOrEqual(3);
      expect(train[label]).toBeGreaterThanOrEqual([80, 20, 16][['a', 'b', 'c'].indexOf(label)]! / 2);
    }
  });

  test('nothing of several labels of which one is rare', async () => {
    const targets = Array.from({ length: 80 }, (_, i) => (i < 4 ? ['a', 'b'] : ['a']));
    expect((await heldOf(picturesOf(targets), 'multiLabel')).validation).toBeUndefined();
  });

  test('ten of forty numbers, and nothing of fewer', async () => {
    const model = await tinyTransfer({ task: 'regression' });
    const held = (size: number) =>
      holdOut(model, picturesOf(Array.from({ length: size }, (_, i) => i / 10)), { validation: 'auto' });
    expect([held(40).validation?.size, held(40).train.size, held(200).validation?.size]).toEqual([10, 30, 20]);
    expect(held(39)).toMatchObject({ validation: undefined, held: { obstacle: 'there are fewer than 40 examples' } });
    model.dispose();
  });

  test('some of ten thousand labels, in seconds', async () => {
    const targets = Array.from({ length: 120_000 }, (_, i) => `label ${String(i % 10_000)}`);
    const samples = fromArrays({ inputs: targets.map(() => 0), targets });
    const model = await headOf(samples);
    const { validation } = holdOut(model, samples, { validation: 'auto' });
    expect(validation?.size).toBe(30_000);
    expect(holdOut(model, samples, { validation: false }).validation).toBeUndefined();
    model.dispose();
  });
});

describe('fineTune', () => {
  test('trains head and base on the same examples, and says how many are held out', async () => {
    const model = await tinyTransfer();
    const samples = tinySamples(20);
    const log = await fineTune(model, samples, quick);
    expect(model.history.map(({ heldOut, examples }) => [heldOut, examples])).toEqual([
      [9, 51],
      [9, 51],
    ]);
    expect(log.before).toBeDefined();
    expect(log.warnings?.join() ?? '').not.toMatch(/Fewer than|training examples/);
    expect(log.reasons.validation).toBe('validation is "auto": 9 of 60 examples are held out.');
    // The head has not seen what is held out.
    const { validation } = samples.split({ validation: 0.1, atLeast: 3, seed: 0 });
    expect((await evaluate(model, validation)).warnings?.join()).not.toContain('training examples too');
    model.dispose();
  });

  test('holds out nothing of a small set, and says why; nothing if it is told so', async () => {
    const model = await tinyTransfer();
    const log = await fineTune(model, tinySamples(8), quick);
    expect([log.examples, log.heldOut, log.before]).toEqual([24, undefined, undefined]);
    expect(log.reasons.validation).toContain('no example is held out, as 3 of 3 labels have fewer than 12 examples');
    const told = await fineTune(model, tinySamples(20), { ...quick, validation: false });
    expect([told.examples, told.heldOut, told.before]).toEqual([60, undefined, undefined]);
    expect(told.reasons.validation).toBeUndefined();
    model.dispose();
  });

  test('does not compare the start where the head may know the examples, and does where it does not', async () => {
    const samples = tinySamples(20);
    const after = async (options: object) => {
      const model = await tinyTransfer();
      await trainHead(model, samples, options);
      const log = await fineTune(model, samples, quick);
      model.dispose();
      return log;
    };
    const known = await after({});
    expect(known.before).toBeUndefined();
    expect(known.reasons.validation).toContain('may know them');
    expect(known.warnings?.join()).toContain('9 of the validation examples are training examples too');
    const unknown = await after({ validation: 'auto' });
    expect(unknown.before).toBeDefined();
    expect(unknown.warnings?.join() ?? '').not.toContain('training examples');
    expect((await after({ validation: 'auto', seed: 1 })).before).toBeUndefined();
  });

  test('the head alone holds out nothing by default', async () => {
    const model = await tinyTransfer();
    expect(await trainHead(model, tinySamples(20))).toMatchObject({ examples: 60 });
    expect(await trainHead(model, tinySamples(20), { validation: 'auto' })).toMatchObject({ examples: 51, heldOut: 9 });
    expect(await trainHead(model, tinySamples(20), { validation: 0.5 })).toMatchObject({ examples: 30, heldOut: 30 });
    model.dispose();
  });

  test.each<[string, () => Samples]>([
    ['three pictures', () => labelled({ a: 1, b: 1, c: 1 })],
    [
      'one picture many times',
      () =>
        fromArrays({
          inputs: Array.from({ length: 40 }, () => tinyPicture('across', () => 0.5)),
          targets: Array.from({ length: 40 }, (_, i) => (i % 2 ? 'a' : 'b')),
        }),
    ],
    [
      'labels at random',
      () => picturesOf(Array.from({ length: 60 }, (_, i) => 'ab'[Math.floor(randomGenerator(i)() * 2)] ?? 'a')),
    ],
  ])('leaves a usable model after %s', async (_, make) => {
    const samples = make();
    const model = await headOf(samples);
    const log = await fineTune(model, samples, { epochs: 2 });
    expect(log.stoppedBy).toBe('epochs');
    expect(Object.values(weightValues(model)).flat().every(Number.isFinite)).toBe(true);
    const [best] = await predict(
      model,
      tinyPicture('across', () => 0.5),
    );
    expect(best).toMatchObject({ probability: expect.any(Number) as number });
    model.dispose();
  });

  test.each([
    [
      'validation of one label',
      {
        validation: () =>
          picturesOf(
            Array.from({ length: 9 }, () => 'across'),
            tinyLabels,
          ),
      },
    ],
  ])('takes %s', async (_, { validation }) => {
    const model = await tinyTransfer();
    const log = await fineTune(model, tinySamples(20), { ...quick, validation: validation() });
    expect(log.epochs[0]?.validationLoss).toBeGreaterThan(0);
    expect(log.heldOut).toBeUndefined();
    model.dispose();
  });

  test.each<[unknown]>([['most'], [0], [1], [true], [null]])('refuses validation: %j', async (validation) => {
    const model = await tinyTransfer();
    await expect(fineTune(model, tinySamples(), { validation } as FineTuneOptions)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    model.dispose();
  });
});
