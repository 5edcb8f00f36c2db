// The settings that fineTune chooses: a table of plain numbers, and a log from which a run can be repeated.
import { flip } from '../../src/augment.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  fineTune,
  freeze,
  fromArrays,
  trainHead,
  unfreeze,
  type CheckpointStore,
  type FineTuneOptions,
  type Samples,
  type TransferModel,
} from '../../src/index.ts';
import { adam } from '../../src/optimizers.ts';
import { cosine, warmUp } from '../../src/schedules.ts';
import { usualSettings, type Facts } from '../../src/training/options/usualSettings.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(useTestBackend);

const facts: Facts = {
  effort: 'standard',
  examples: 720,
  stepsPerEpoch: 23,
  initialEpoch: 0,
  arePictures: true,
  head: 'solved',
  base: 'open',
  costs: [4, 0, 3, 3, 0],
  optimizerRate: 1e-3,
  epochs: undefined,
  validation: 'enough',
  seeksBestEpoch: false,
  movesStatistics: false,
};

const valuesFor = (own: Partial<Facts>) => {
  const choices = usualSettings({ ...facts, ...own });
  return Object.fromEntries(Object.entries(choices).map(([name, { value }]) => [name, value]));
};

describe('the usual settings', () => {
  test('of a standard run', () => {
    const highest = 1e-3 * (230 / 1500);
    expect(valuesFor({})).toEqual({
      epochs: 10,
      learningRate: { head: highest / 10, base: [highest / 10, highest] },
      schedule: { name: 'cosine', warmUp: { steps: 0.4, from: 0.01 } },
      unfreeze: expect.objectContaining({ lastStages: expect.any(Number) as number }) as object,
      augment: [flip()],
      views: 2,
      labelSmoothing: 0,
      ema: false,
      blend: true,
      restoreBest: false,
    });
    expect(usualSettings(facts).epochs.reason).toBe(
      "effort 'standard' trains 10 epochs, as 720 examples make 23 steps an epoch",
    );
  });

  test('train fewer epochs where these have many steps', () => {
    expect([10, 150, 200, 400].map((stepsPerEpoch) => valuesFor({ stepsPerEpoch }).epochs)).toEqual([10, 10, 8, 5]);
  });

  test('give a head that is not at its optimum the rate of the last stage', () => {
    const { learningRate } = usualSettings({ ...facts, head: 'trained' });
    expect(learningRate.value.head).toBe(learningRate.value.base[1]);
  });

  test('blend in the middle unless validation can choose, and not where there is nothing to blend with', () => {
    for (const validation of ['none', 'known', 'few'] as const) {
      expect(valuesFor({ validation })).toMatchObject({ blend: { alpha: 0.5 }, restoreBest: false });
    }
    expect(valuesFor({ head: 'new' })).toMatchObject({ blend: false, restoreBest: true });
    expect(valuesFor({ seeksBestEpoch: true })).toMatchObject({ blend: true, restoreBest: true });
    expect(valuesFor({ movesStatistics: true })).toMatchObject({ blend: false, restoreBest: true });
  });

  test('follow the effort', () => {
    expect(valuesFor({ effort: 'quick' })).toMatchObject({ epochs: 4, unfreeze: { lastStages: 2 }, augment: 'none' });
    expect(valuesFor({ effort: 'thorough' })).toMatchObject({ epochs: 20, augment: 'light', views: 8 });
    expect(valuesFor({ effort: 'thorough', base: 'whole' })).toMatchObject({ unfreeze: undefined, views: 'fresh' });
    expect(valuesFor({ effort: 'thorough', base: 'part' })).toMatchObject({ unfreeze: undefined, views: 8 });
    expect(valuesFor({ effort: 'thorough', arePictures: false })).toMatchObject({ augment: 'none', views: 'fresh' });
  });

  test.each<[readonly number[], unknown]>([
    [[1, 1, 1, 1], { lastStages: 1 }],
    [[10, 1], { lastStages: 1 }],
    [[1, 10], { lastStages: 1 }],
    [[5], 'base'],
    [[0, 0], 'base'],
    [[], 'base'],
    [[1, 1, 10, 0], { lastStages: 2 }],
  ])('a quick run on stages that cost %j trains %j', (costs, expected) => {
    expect(valuesFor({ effort: 'quick', costs }).unfreeze).toEqual(expected);
  });

  test('rates grow with the steps, of the epochs that the user gave', () => {
    const last = (own: Partial<Facts>) => usualSettings({ ...facts, ...own }).learningRate.value.base[1];
    expect(last({ epochs: 5 })).toBeCloseTo(1e-3 * (115 / 1500), 10);
    expect(last({ epochs: 100 })).toBe(1e-3);
    expect(last({ epochs: 12, initialEpoch: 10 })).toBe(5e-5);
    expect(last({ stepsPerEpoch: 1 })).toBe(5e-5);
  });
});

/** Everything of a run but times. */
async function runOf(
  options: FineTuneOptions,
  { samples = tinySamples(12), prepare = (_: TransferModel): unknown => undefined } = {},
) {
  const model = await tinyTransfer({ dropout: 0.2 });
  await prepare(model);
  const log = await fineTune(model, samples, options);
  const { seconds: _, epochs, ...rest } = log;
  const timeless = epochs.map(({ seconds: _seconds, ...figures }) => figures);
  const result = {
    weights: weightValues(model),
    frozen: model.base.trunk.weights.map(({ frozen }) => frozen),
    epochs: timeless,
    rest,
  };
  const { settings } = log;
  model.dispose();
  return { result, settings, log };
}

describe('log.settings', () => {
  test.each<[string, FineTuneOptions]>([
    ['defaults', {}],
    ["effort 'quick'", { effort: 'quick' }],
    [
      "effort 'thorough', with an option that counts more",
      { effort: 'thorough', epochs: 2, unfreeze: { lastStages: 2 } },
    ],
    [
      'options of every kind',
      {
        epochs: 2,
        initialEpoch: 0,
        labelSmoothing: 0.1,
        clip: { norm: 1 },
        ema: true,
        seed: 5,
        batchSize: 8,
        validation: 0.25,
        schedule: { name: 'cosine', options: { end: 0.1 }, warmUp: { steps: 0.2 } },
        optimizer: 'sgd',
        headEpochs: 2,
        mixup: 0.2,
        unfreeze: [
          { epoch: 0, lastStages: 1 },
          { epoch: 1, lastStages: 2 },
        ],
        earlyStopping: 3,
        learningRate: 1e-3,
        augment: 'light',
        views: 2,
        batchNorm: 'train',
        classWeights: 'balanced',
        cache: { precision: 'float16' },
      },
    ],
  ])('repeat a run bit for bit, also after JSON: %s', async (_, options) => {
    const first = await runOf(options);
    const copied = JSON.parse(JSON.stringify(first.settings)) as FineTuneOptions;
    expect(copied).toEqual(first.settings);
    const second = await runOf(copied);
    const { reasons: _first, ...rest } = first.result.rest;
    const { reasons: _second, ...again } = second.result.rest;
    expect({ ...second.result, rest: again }).toEqual({ ...first.result, rest });
  });

  test('lists what was chosen and why, and what was given', async () => {
    const { log } = await runOf({ epochs: 1, seed: 2, effort: 'quick', onEpoch: () => undefined });
    expect(log.settings).toEqual({
      epochs: 1,
      seed: 2,
      batchSize: 32,
      optimizer: 'adam',
      validation: 'auto',
      schedule: { name: 'cosine', warmUp: { steps: 0.4, from: 0.01 } },
      labelSmoothing: 0,
      ema: false,
      blend: { alpha: 0.5 },
      restoreBest: false,
      augment: 'none',
      views: 'fresh',
      learningRate: expect.anything() as unknown,
      unfreeze: { lastStages: expect.any(Number) as number },
    });
    expect(Object.keys(log.reasons).sort()).toEqual([
      'augment',
      'blend',
      'ema',
      'labelSmoothing',
      'learningRate',
      'restoreBest',
      'schedule',
      'unfreeze',
      'validation',
      'views',
    ]);
    for (const reason of Object.values(log.reasons)) expect(reason).toMatch(/^\w+ is .*: .*\.$/);
  });

  test('name values that are not plain data, with which they repeat the run', async () => {
    const given: FineTuneOptions = {
      epochs: 2,
      optimizer: adam({ beta1: 0.8 }),
      schedule: warmUp(cosine()),
      unfreeze: /conv2/,
      validation: tinySamples(2, 9),
      augment: { apply: (input) => input.clone() },
    };
    const first = await runOf(given);
    const names = ['augment', 'optimizer', 'schedule', 'unfreeze', 'validation'] as const;
    for (const name of names) {
      expect(first.settings).not.toHaveProperty(name);
      expect(first.log.reasons[name]).toContain('not plain data');
    }
    const functions = Object.fromEntries(names.map((name) => [name, given[name]]));
    const second = await runOf({ ...first.settings, ...functions });
    expect(second.result.weights).toEqual(first.result.weights);
  });

  test('leave layers to the model that the user prepared', async () => {
    const prepare = async (model: TransferModel) => {
      unfreeze(model, { lastStages: 1 });
    };
    const first = await runOf({ epochs: 1 }, { prepare });
    expect(first.settings).not.toHaveProperty('unfreeze');
    expect(first.log.reasons.unfreeze).toContain('unfrozen before the call');
    const second = await runOf(first.settings, { prepare });
    expect(second.result.weights).toEqual(first.result.weights);
  });

  test('a head that is frozen beside its base is refused, as nothing trains', async () => {
    const model = await tinyTransfer();
    freeze(model, 'all');
    await expect(fineTune(model, tinySamples())).rejects.toMatchObject({ code: 'NOTHING_TO_TRAIN' });
    model.dispose();
  });

  test('are in the history, which a saved model keeps', async () => {
    const model = await tinyTransfer();
    const log = await fineTune(model, tinySamples(), { epochs: 1 });
    expect(model.history.at(-1)).toEqual(log);
    model.dispose();
  });
});

function memoryStore(files: Map<string, Uint8Array>): CheckpointStore {
  return {
    list: async () => [...files.keys()],
    read: async (name) => files.get(name) ?? new Uint8Array(),
    write: async (name, bytes) => void files.set(name, bytes),
    remove: async (name) => void files.delete(name),
  };
}

/** Samples that cannot be read after a number of reads. */
function breaking(samples: Samples, reads: number): Samples {
  let done = 0;
  return defineSamples({
    size: samples.size,
    target: (index) => samples.target(index) as string,
    read: async (index) => {
      if (++done > reads) throw new Error('the process is killed');
      return samples.read(index);
    },
  });
}

describe('a run with the usual settings that was killed', () => {
  test.each<[string, object | undefined]>([
    ['its own head', undefined],
    ['a head trained on all examples', {}],
    ['a head trained on the same part', { validation: 'auto' }],
    ['a head trained by gradients', { epochs: 2 }],
  ])('goes on to the same bits on a model built anew, after %s', async (_, headOptions) => {
    const samples = tinySamples(12);
    const inputs = await Promise.all(
      Array.from({ length: samples.size }, async (_unused, i) => (await samples.read(i)).input),
    );
    const plain = fromArrays({ inputs, targets: Array.from(inputs, (_unused, i) => samples.target(i)) });
    const prepare = async (model: TransferModel) => {
      if (headOptions !== undefined) await trainHead(model, plain, headOptions);
    };
    const options: FineTuneOptions = { epochs: 4, batchSize: 8, unfreeze: 'base' };
    const whole = await runOf(options, { samples: plain, prepare });
    const files = new Map<string, Uint8Array>();
    const checkpoint = { to: memoryStore(files) };
    const killed = runOf({ ...options, checkpoint }, { samples: breaking(plain, 36 * 3 + 20), prepare });
    await expect(killed).rejects.toThrow(/killed/);
    expect(files.size).toBeGreaterThan(0);
    const resumed = await runOf({ ...options, checkpoint, resume: true }, { samples: plain });
    // Which examples a head has seen is known in its own process only.
    const known = ({ result: { rest, ...own } }: typeof whole) => ({ ...own, rest: { ...rest, warnings: undefined } });
    expect(known(resumed)).toEqual(known(whole));
  });
});
