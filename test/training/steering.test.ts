// How steps are taken: rates of single weights, clipping, accumulated gradients, averages, what is unfrozen when.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fineTune,
  fromArrays,
  trainHead,
  type FineTuneOptions,
  type Optimizer,
  type Samples,
} from '../../src/index.ts';
import { adam, adamW, sgd } from '../../src/optimizers.ts';
import { Averages } from '../../src/training/state/averages.ts';
import keras from '../golden/ema.json' with { type: 'json' };
import { ratesOf, settleRates } from '../../src/training/options/rates.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyPicture, tinySamples, tinyTransfer, tinyLabels, weightValues } from '../support/tinyTask.ts';
import { randomGenerator } from '../../src/core/random.ts';

beforeAll(async () => {
  await useTestBackend();
});

type Values = Record<string, number[]>;

/** Examples in one batch, of each class in turn. */
function examples(count: number): Samples {
  const random = randomGenerator(3);
  const targets = Array.from({ length: count }, (_, i) => tinyLabels[i % 3] ?? '');
  return fromArrays({ inputs: targets.map((label) => tinyPicture(label, random)), targets });
}

/** Weights before and after fine-tuning everything without dropout, by steps as long as the gradient. */
async function tuned(options: FineTuneOptions, samples = examples(32)): Promise<{ before: Values; after: Values }> {
  const model = await tinyTransfer({ dropout: 0 });
  const before = weightValues(model);
  await fineTune(model, samples, {
    headEpochs: 0,
    optimizer: sgd(),
    schedule: 'constant',
    epochs: 1,
    batchSize: 32,
    learningRate: 1,
    unfreeze: 'base',
    augment: 'none',
    ...options,
  });
  const after = weightValues(model);
  model.dispose();
  return { before, after };
}

function changes({ before, after }: { before: Values; after: Values }): Values {
  return Object.fromEntries(
    Object.entries(after).map(([name, values]) => [name, values.map((value, i) => value - (before[name]?.[i] ?? 0))]),
  );
}

const flat = (values: Values) => Object.values(values).flat();
/** The largest difference as a share of the largest value. */
const farthest = (values: readonly number[], expected: readonly number[]) =>
  Math.max(...values.map((value, i) => Math.abs(value - (expected[i] ?? NaN)))) / Math.max(...expected.map(Math.abs));
const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
/** A fast and steep run. */
const steep = 0.05;

describe('accumulated gradients', () => {
  test.each([
    [8, 4],
    [16, 2],
    [12, 3],
  ])('batches of %d, %d to a step, change the weights like one batch of 32', async (batchSize, steps) => {
    const whole = await tuned({ epochs: 3, learningRate: steep });
    const parts = await tuned({ epochs: 3, learningRate: steep, batchSize, gradientAccumulationSteps: steps });
    expect(norm(flat(changes(whole)))).toBeGreaterThan(1e-2);
    for (const name of Object.keys(whole.after)) {
      expect(farthest(parts.after[name] ?? [], whole.after[name] ?? []), name).toBeLessThan(1e-5);
    }
  });

  test('remaining batches at the end of an epoch are a separate step', async () => {
    const whole = await tuned({ batchSize: 8, gradientAccumulationSteps: 100 });
    const one = await tuned({});
    expect(farthest(flat(whole.after), flat(one.after))).toBeLessThan(1e-5);
  });
});

describe('clipping', () => {
  test('by value: no number is larger', async () => {
    const free = flat(changes(await tuned({})));
    const clipped = flat(changes(await tuned({ clip: { value: 0.01 } })));
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(0.02);
    const expected = free.map((value) => Math.max(-0.01, Math.min(0.01, value)));
    clipped.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? 0, 6);
    });
  });

  test('by norm: the gradient of each weight is scaled separately', async () => {
    const free = changes(await tuned({}));
    const clipped = changes(await tuned({ clip: { norm: 0.05 } }));
    const lengths = Object.values(free).map(norm);
    expect(Math.max(...lengths)).toBeGreaterThan(0.05);
    expect(Math.min(...lengths)).toBeLessThan(0.05);
    for (const [name, values] of Object.entries(free)) {
      const factor = Math.min(1, 0.05 / Math.max(norm(values), 1e-12));
      clipped[name]?.forEach((value, i) => {
        expect(value, name).toBeCloseTo((values[i] ?? 0) * factor, 5);
      });
    }
  });

  test('by the norm of all: the direction is kept', async () => {
    const free = flat(changes(await tuned({})));
    const clipped = flat(changes(await tuned({ clip: { globalNorm: 0.1 } })));
    expect(norm(free)).toBeGreaterThan(0.2);
    expect(norm(clipped)).toBeCloseTo(0.1, 4);
    const along = clipped.reduce((sum, value, i) => sum + value * (free[i] ?? 0), 0) / norm(free) / norm(clipped);
    expect(along).toBeCloseTo(1, 5);
  });

  test('the log has the norm of the gradients before clipping', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    const options = { headEpochs: 0, optimizer: sgd(), schedule: 'constant', learningRate: 1, epochs: 1 } as const;
    const whole = { unfreeze: 'base', augment: 'none' } as const;
    const log = await fineTune(model, examples(32), { ...options, ...whole, clip: { globalNorm: 0.1 } });
    const free = norm(flat(changes(await tuned({}))));
    expect(log.epochs[0]?.gradientNorm).toBeCloseTo(free, 4);
    model.dispose();
  });
});

describe('averages of weights', () => {
  const options = { optimizer: sgd(), schedule: 'constant', learningRate: 0.2, epochs: 4, batchSize: 32 } as const;

  async function run(ema: FineTuneOptions['ema']) {
    const model = await tinyTransfer({ dropout: 0 });
    const states = [flat(weightValues(model))];
    const collect = () => {
      states.push(flat(weightValues(model)));
    };
    const validation = tinySamples(4, 5);
    const log = await fineTune(model, examples(32), {
      ...options,
      headEpochs: 0,
      ...(ema === undefined ? {} : { ema }),
      validation,
      restoreBest: false,
      onEpoch: collect,
    });
    const end = flat(weightValues(model));
    model.dispose();
    return { states, end, log };
  }

  test('follow the weights with their decay; callbacks see the weights, the model ends with the averages', async () => {
    const { states, end } = await run({ decay: 0.75 });
    // As in Keras, the first step is where averages begin.
    const [, first = [], ...steps] = states;
    const expected = steps.reduce((average, state) => average.map((v, i) => 0.75 * v + 0.25 * (state[i] ?? 0)), first);
    expect(farthest(end, expected)).toBeLessThan(1e-6);
    expect(farthest(states.at(-1) ?? [], expected)).toBeGreaterThan(1e-3);
  });

  test('are those of Keras, from the first step on', () => {
    const variable = tf.variable<tf.Rank>(tf.tensor1d([1, -2, 0.5]));
    const write = (value: tf.Tensor) => {
      variable.assign(value);
    };
    const weight = {
      name: 'a/b',
      layer: 'a',
      stage: 0,
      shape: [3],
      kind: 'kernel',
      variable,
      frozen: false,
      write,
    } as const;
    const averages = new Averages(0.75);
    averages.follow([weight]);
    keras.forEach((step, place) => {
      tf.tidy(() => {
        variable.assign(tf.tensor1d(step.weight));
      });
      averages.update(() => place === 0);
      const found = averages.byName().get('a/b')?.dataSync() ?? [];
      expect(farthest(Array.from(found), step.average)).toBeLessThan(1e-6);
    });
    averages.dispose();
    variable.dispose();
  });

  test('weights are those of a run without averages, bit for bit, although validation uses the averages', async () => {
    const plain = await run(undefined);
    const kept = await run({ decay: 0.75, keep: 'weights' });
    expect(kept.end).toEqual(plain.end);
    const losses = (of: typeof plain) => of.log.epochs.map(({ validationLoss }) => validationLoss);
    expect(losses(kept)).not.toEqual(losses(plain));
    expect(losses(kept)).toEqual(losses(await run({ decay: 0.75 })));
  });

  test('the best epoch is restored as averages', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    const validation = tinySamples(4, 5);
    const log = await fineTune(model, examples(32), { ...options, headEpochs: 0, ema: { decay: 0.5 }, validation });
    expect(log.best).toMatchObject({ monitor: 'validationLoss', restored: true });
    const { evaluate } = await import('../../src/index.ts');
    expect((await evaluate(model, validation)).loss).toBeCloseTo(log.best?.value ?? NaN, 5);
    model.dispose();
  });
});

describe('rates of single weights', () => {
  test('a span rises by equal factors over the unfrozen stages; the head has its own', async () => {
    const model = await tinyTransfer();
    const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
    const rates = ratesOf(model, settleRates({ base: [1e-4, 1e-2], head: 0.5 }), weights);
    const of = (name: string) => [...rates].find(([weight]) => weight.name === name)?.[1];
    const stages = [...new Set(model.base.trunk.weights.map(({ stage }) => stage))].sort((a, b) => a - b);
    const byStage = stages.map(
      (stage) =>
        [...rates].find(([weight]) => weight.stage === stage && model.base.trunk.weights.includes(weight))?.[1],
    );
    expect(byStage[0]).toBeCloseTo(1e-4, 12);
    expect(byStage.at(-1)).toBeCloseTo(1e-2, 10);
    expect([...byStage].sort((a = 0, b = 0) => a - b)).toEqual(byStage);
    expect(of('head_logits/kernel')).toBe(0.5);
    model.dispose();
  });

  test('layerDecay makes a stage slower than the one after it', async () => {
    const model = await tinyTransfer();
    const { weights, stages } = model.base.trunk;
    const rates = ratesOf(model, settleRates(1, 0.5), weights);
    for (const [weight, rate] of rates) expect(rate).toBeCloseTo(0.5 ** (stages.length - weight.stage), 12);
    model.dispose();
  });

  test('weights change with their own rate', async () => {
    const one = changes(await tuned({ learningRate: 0.01 }));
    const two = changes(await tuned({ learningRate: { base: [0.01, 0.02], head: 0.04 } }));
    const factor = (name: string) => norm(two[name] ?? []) / norm(one[name] ?? []);
    expect(factor('conv1/kernel')).toBeCloseTo(1, 3);
    expect(factor('conv2/kernel')).toBeGreaterThan(1.2);
    expect(factor('head_logits/kernel')).toBeCloseTo(4, 3);
  });

  test('the log has the rate of the head and the highest of the base', async () => {
    const model = await tinyTransfer();
    const learningRate = { base: [1e-4, 1e-3], head: 1e-2 } as const;
    const log = await fineTune(model, tinySamples(), { headEpochs: 0, epochs: 1, schedule: 'constant', learningRate });
    expect(log.epochs[0]?.learningRate).toEqual({ base: 1e-3, head: 1e-2 });
    model.dispose();
  });
});

describe('gradual unfreezing', () => {
  const steps = [
    { epoch: 0, lastStages: 1 },
    { epoch: 2, layers: 'base' },
  ] as const;
  const options = { headEpochs: 0, epochs: 4, learningRate: 1e-2, unfreeze: steps } as const;

  test('each step trains its layers from its epoch on', async () => {
    const model = await tinyTransfer();
    const seen: Values[] = [weightValues(model)];
    const log = await fineTune(model, tinySamples(), { ...options, onEpoch: () => seen.push(weightValues(model)) });
    const moves = (name: string) =>
      seen.slice(1).map((values, i) => JSON.stringify(values[name]) !== JSON.stringify(seen[i]?.[name]));
    expect(moves('conv2/kernel')).toEqual([true, true, true, true]);
    expect(moves('conv1/kernel')).toEqual([false, false, true, true]);
    expect(log.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
    expect(model.base.trunk.weights.every(({ frozen }) => !frozen)).toBe(true);
    model.dispose();
  });

  test('weights that are unfrozen late have first steps of the usual size', async () => {
    const rate = 1e-3;
    const run = async (optimizer: Optimizer) => {
      const model = await tinyTransfer({ dropout: 0 });
      const seen: Values[] = [];
      await fineTune(model, examples(32), {
        headEpochs: 0,
        epochs: 41,
        batchSize: 32,
        optimizer,
        schedule: 'constant',
        learningRate: rate,
        unfreeze: [
          { epoch: 0, lastStages: 1 },
          { epoch: 40, layers: 'base' },
        ],
        onEpoch: () => seen.push(weightValues(model)),
      });
      model.dispose();
      return changes({ before: seen[39] ?? {}, after: seen[40] ?? {} })['conv1/kernel'] ?? [];
    };
    for (const optimizer of [adam(), adamW({ weightDecay: 0 })]) {
      const moved = (await run(optimizer)).map((value) => Math.abs(value) / rate);
      expect(Math.max(...moved)).toBeLessThan(1.01);
      expect(Math.max(...moved)).toBeGreaterThan(0.95);
    }
    const counts = new Map<string, number[]>();
    const counting: Optimizer = {
      ...sgd(),
      updateAll: () => undefined,
      update: (step) => {
        const name = step.weight.shape.join();
        counts.set(name, [...(counts.get(name) ?? []), step.step]);
        return sgd().update(step);
      },
    };
    await run(counting);
    expect(counts.get('3,3,3,8')).toEqual([1]);
    expect(counts.get('12,3')).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  });

  test('with a cache and without one: the same weights, and no tensor leaks', async () => {
    const run = async (cache: boolean) => {
      const model = await tinyTransfer();
      await expectNoLeak(() => fineTune(model, tinySamples(), { ...options, cache }));
      const values = flat(weightValues(model));
      model.dispose();
      return values;
    };
    expect(farthest(await run(true), await run(false))).toBeLessThan(1e-5);
  });

  test('the log counts trained weights, without those of later steps if the run ended early', async () => {
    const model = await tinyTransfer();
    const options = { epochs: 9, headEpochs: 0, earlyStopping: { patience: 1, minDelta: 9 }, validation: 0.3 } as const;
    const late = [
      { epoch: 0, lastStages: 1 },
      { epoch: 5, lastStages: 3 },
    ];
    const { parameters, epochs } = await fineTune(model, tinySamples(), { ...options, unfreeze: late });
    expect(epochs.length).toBeLessThan(5);
    const whole = await tinyTransfer();
    const first = await fineTune(whole, tinySamples(), { ...options, unfreeze: { lastStages: 1 } });
    expect(parameters).toEqual(first.parameters);
    model.dispose();
    whole.dispose();
  });

  test('a run with initialEpoch begins with the step of that epoch', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    await fineTune(model, tinySamples(), { ...options, initialEpoch: 3 });
    expect(weightValues(model)['conv1/kernel']).not.toEqual(before['conv1/kernel']);
    model.dispose();
  });

  test.each([
    [[{ epoch: 1, lastStages: 1 }], /rise from 0, got 1/],
    [
      [
        { epoch: 0, lastStages: 1 },
        { epoch: 0, lastStages: 2 },
      ],
      /rise from 0, got 0, 0/,
    ],
    [[{ epoch: 0, lastStages: 1 }, { lastStages: 2 }], /rise from 0, got 0, /],
  ])('steps %j are refused, and the model is unchanged', async (unfreeze, text) => {
    const model = await tinyTransfer();
    await expect(fineTune(model, tinySamples(), { unfreeze })).rejects.toThrow(text);
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    expect(model.head.trained).toBe(false);
    model.dispose();
  });
});

describe('time', () => {
  test('training stops at its time limit, with a last validation', async () => {
    const model = await tinyTransfer();
    const log = await trainHead(model, tinySamples(), {
      epochs: 100_000,
      maxSeconds: 0.3,
      validation: tinySamples(2, 9),
    });
    expect(log.stoppedBy).toBe('time');
    expect(log.epochs.length).toBeGreaterThan(0);
    expect(log.epochs.length).toBeLessThan(100_000);
    expect(log.epochs.at(-1)?.validationLoss).toBeDefined();
    model.dispose();
  });
});

describe('what is refused', () => {
  test.each<[FineTuneOptions, RegExp]>([
    [{ learningRate: { base: [1e-3, 1e-4], head: 1 } }, /learningRate\.base to be .* rising .* got \[0\.001,0\.0001\]/],
    [{ learningRate: { base: [0, 1e-4], head: 1 } }, /learningRate\.base to be a finite number above 0, got 0/],
    [{ layerDecay: 0 }, /layerDecay to be above 0 and at most 1, got 0/],
    [{ layerDecay: 1.5 }, /layerDecay to be above 0 and at most 1, got 1\.5/],
    [{ clip: { value: 0 } }, /clip\.value to be a finite number above 0, got 0/],
    [{ clip: { value: 1, norm: 1 } }, /clip to be \{ value \}, \{ norm \} or \{ globalNorm \}/],
    [{ gradientAccumulationSteps: 0 }, /gradientAccumulationSteps to be a whole number from 1, got 0/],
    [{ ema: { decay: 1 } }, /ema\.decay to be at least 0 and below 1, got 1/],
    [{ labelSmoothing: 1 }, /labelSmoothing to be at least 0 and below 1, got 1/],
    [{ maxSeconds: 0 }, /maxSeconds to be a finite number above 0, got 0/],
    [{ schedule: () => -1 }, /the schedule to give a finite number from 0 for step 0 of \d+, got -1/],
    [{ schedule: () => NaN }, /the schedule to give a finite number from 0 for step 0 of \d+, got NaN/],
  ])('%j', async (options, text) => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const running = expectNoLeak(() => fineTune(model, tinySamples(), { headEpochs: 0, ...options }));
    await expect(running).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(text) as string,
    });
    expect(weightValues(model)).toEqual(before);
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    model.dispose();
  });
});

describe('the usual rates', () => {
  const highest = async (options: FineTuneOptions) => {
    const model = await tinyTransfer();
    const log = await fineTune(model, tinySamples(), { headEpochs: 0, schedule: 'constant', ...options });
    model.dispose();
    return log.epochs[0]?.learningRate;
  };

  test('grow with the number of steps, and follow the optimizer', async () => {
    const unfreeze = { lastStages: 1 } as const;
    // 24 examples: three steps an epoch of 8, but never less than a twentieth.
    expect(await highest({ epochs: 1, batchSize: 8, unfreeze })).toEqual({ head: 5e-5, base: 5e-5 });
    expect(await highest({ epochs: 1, batchSize: 8, unfreeze, optimizer: 'sgd' })).toEqual({ head: 5e-4, base: 5e-4 });
    const long = await highest({ epochs: 10, batchSize: 2, unfreeze });
    expect(long?.head).toBeCloseTo((1e-3 * 120) / 1500, 12);
  });
});
