// Schedules against Keras's numbers and fastai's formula (golden/schedules.py), and what cannot be.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  constant,
  cosine,
  cosineRestarts,
  exponentialDecay,
  linearWarmUp,
  oneCycle,
  polynomialDecay,
  reduceOnPlateau,
  stepDecay,
  trainHead,
  type AdaptiveSchedule,
  type Monitor,
  type Schedule,
  type ScheduleName,
} from '../../src/index.ts';
import { settleSchedule } from '../../src/train/schedules.ts';
import golden from '../golden/schedules.json' with { type: 'json' };
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

const factors = (schedule: Schedule | ScheduleName, total = 40) => {
  const settled = settleSchedule('trainHead', schedule);
  return Array.from({ length: total }, (_, step) => settled.factor(settled.init, step, total));
};

describe('as Keras and fastai', () => {
  test.each([
    ['cosine', cosine({ end: 0.1 }), golden.cosine],
    ['cosineRestarts', cosineRestarts({ first: 8, longer: 2, lower: 0.5, end: 0 }), undefined],
    ['exponentialDecay', exponentialDecay({ over: 10, factor: 0.5 }), golden.exponential],
    ['polynomialDecay', polynomialDecay({ end: 0.1, power: 2 }), golden.polynomial],
    ['stepDecay', stepDecay({ every: 15 }), golden.step],
    ['oneCycle', oneCycle(), golden.oneCycle],
  ])('%s', (_, schedule, expected) => {
    // Keras's floor of restarts is a share of the first height.
    const known = expected ?? golden.cosineRestarts.map((value) => (value - 0.05) / 0.95);
    factors(schedule).forEach((factor, step) => {
      expect(factor).toBeCloseTo(known[step] ?? NaN, 6);
    });
  });

  test.each([
    ['patience', reduceOnPlateau({ factor: 0.5, patience: 2 }), golden.plateau, 'validationLoss', false],
    [
      'cooldown, least',
      reduceOnPlateau({ factor: 0.5, patience: 2, minDelta: 0.05, cooldown: 2, least: 0.2 }),
      golden.plateauCooldown,
      'validationLoss',
      false,
    ],
    [
      'accuracy',
      reduceOnPlateau({ factor: 0.5, patience: 3, monitor: 'validationAccuracy' }),
      golden.plateauAccuracy,
      'validationAccuracy',
      true,
    ],
  ] as const)('reduceOnPlateau: %s', (_, schedule: AdaptiveSchedule, expected, monitor: Monitor, reverse) => {
    let state = schedule.init;
    golden.losses.forEach((loss, epoch) => {
      state = schedule.afterEpoch(state, { epoch, loss: 0, seconds: 0, [monitor]: reverse ? 1 - loss : loss });
      expect(schedule.factor(state, 0, 1), `epoch ${String(epoch)}`).toBeCloseTo(expected[epoch] ?? NaN, 6);
    });
    expect(state.every(Number.isFinite)).toBe(true);
  });
});

describe('warm-up', () => {
  test('rises in front of any schedule, which then has the rest of the run', () => {
    const warm = factors(linearWarmUp(cosine(), { steps: 10, from: 0.1 }));
    expect(warm.slice(0, 11).map((factor) => Number(factor.toFixed(9)))).toEqual(
      Array.from({ length: 11 }, (_, step) => Number((0.1 + 0.09 * step).toFixed(9))),
    );
    expect(warm.slice(10)).toEqual(factors(cosine(), 30));
    expect(factors(linearWarmUp(constant(), { steps: 0.25, from: 0 })).slice(9, 11)).toEqual([0.9, 1]);
  });

  test('in front of one that follows figures too', () => {
    const schedule = linearWarmUp(reduceOnPlateau({ factor: 0.5, patience: 1 }), { steps: 2 });
    let state = schedule.init;
    for (const loss of [1, 1]) state = schedule.afterEpoch(state, { epoch: 0, loss, seconds: 0 });
    expect(schedule.factor(state, 5, 10)).toBe(0.5);
  });

  test('longer than the run: refused before anything has moved', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const schedule = linearWarmUp(cosine(), { steps: 100 });
    await expect(trainHead(model, tinySamples(), { epochs: 2, batchSize: 8, schedule })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/got 100 steps of warm-up in a run of 6\. Warm up for a share/) as unknown,
    });
    expect(weightValues(model)).toEqual(before);
    model.dispose();
  });
});

test.each<ScheduleName>([
  'constant',
  'cosine',
  'cosineRestarts',
  'oneCycle',
  'linear',
  'step',
  'exponential',
  'plateau',
])('%s by name gives factors from 0 to 1', (name) => {
  for (const factor of factors(name)) {
    expect(factor).toBeGreaterThanOrEqual(0);
    expect(factor).toBeLessThanOrEqual(1);
  }
});

test('in training: the rate falls when the figure stands still', async () => {
  const model = await tinyTransfer();
  const log = await trainHead(model, tinySamples(), {
    epochs: 4,
    learningRate: 1e-6,
    schedule: reduceOnPlateau({ patience: 1, factor: 0.5, minDelta: 1, monitor: 'loss' }),
  });
  expect(log.epochs.map(({ learningRate }) => learningRate?.head)).toEqual([1e-6, 1e-6, 5e-7, 2.5e-7]);
  model.dispose();
});

test.each([
  [() => cosine({ end: 2 }), 'cosine: expected end to be from 0 to 1, got 2.'],
  [() => cosineRestarts({ longer: 0.5 }), 'cosineRestarts: expected longer to be a number from 1, got 0.5.'],
  [
    () => cosineRestarts({ first: 1.5 }),
    'cosineRestarts: expected first to be a whole number of steps from 1 or a share',
  ],
  [() => stepDecay({ factor: 0 }), 'stepDecay: expected factor to be above 0 and at most 1, got 0.'],
  [() => exponentialDecay({ over: 0 }), 'exponentialDecay: expected over to be a whole number of steps from 1'],
  [() => polynomialDecay({ power: 0 }), 'polynomialDecay: expected power above 0, got 0.'],
  [() => oneCycle({ rise: 1 }), 'oneCycle: expected rise to be above 0 and below 1, got 1.'],
  [() => oneCycle({ div: 0 }), 'oneCycle: expected div to be a number from 1, got 0.'],
  [() => linearWarmUp(cosine(), { from: -1 }), 'linearWarmUp: expected from to be from 0 to 1, got -1.'],
  [() => reduceOnPlateau({ factor: 1 }), 'reduceOnPlateau: expected factor to be above 0 and below 1, got 1.'],
  [() => reduceOnPlateau({ patience: 0 }), 'reduceOnPlateau: expected patience to be a number from 1, got 0.'],
  [
    () => settleSchedule('trainHead', 'sine' as ScheduleName),
    "trainHead: expected schedule to be 'constant', 'cosine'",
  ],
])('refuses what cannot be: %s', (make, message) => {
  expect(make).toThrow(message);
});
