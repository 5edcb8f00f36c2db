// Schedules against Keras's numbers and fastai's formula (golden/schedules.py) and PyTorch's
// (golden/schedulesTorch.py), and what cannot be.
import { beforeAll, describe, expect, test } from 'vitest';
import { trainHead, type AdaptiveSchedule, type Monitor, type Schedule, type ScheduleName } from '../../src/index.ts';
import {
  constant,
  cosine,
  cosineRestarts,
  exponential,
  oneCycle,
  plateau,
  polynomial,
  step,
  warmUp,
} from '../../src/schedules.ts';
import * as door from '../../src/schedules.ts';
import { keysOf } from '../../src/core/names.ts';
import { schedules, settleSchedule } from '../../src/training/schedules/schedules.ts';
import golden from '../golden/schedules.json' with { type: 'json' };
import torch from '../golden/schedulesTorch.json' with { type: 'json' };
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

const factors = (schedule: Schedule | ScheduleName, total = 40) => {
  const settled = settleSchedule(schedule);
  return Array.from({ length: total }, (_, step) => settled.factor(settled.init, step, total));
};

describe('factors are those of other programs:', () => {
  test.each([
    ['cosine', cosine({ end: 0.1 }), torch.cosine],
    [
      'cosineRestarts',
      // PyTorch's falls end at a rate, Keras's at a share of their height.
      (step: number, total: number) => 0.1 + 0.9 * cosineRestarts({ first: 1 / 8, longer: 2 })(step, total),
      torch.cosineRestarts,
    ],
    ['step', step({ every: 15 }), torch.step],
    ['exponential', exponential({ over: 1, factor: 0.9 }), torch.exponential],
    ['oneCycle', oneCycle(), torch.oneCycle],
    ['oneCycle, other settings', oneCycle({ rise: 0.4, div: 5, divFinal: 1e3 }), torch.oneCycleOther],
    ['warmUp', warmUp(cosine(), { steps: 10, from: 0.1 }), torch.warmUp],
  ])('PyTorch: %s', (_, schedule, known) => {
    factors(schedule).forEach((factor, step) => {
      expect(Math.abs(factor - (known[step] ?? NaN))).toBeLessThan(1e-9);
    });
  });

  test.each([
    ['cosine', cosine({ end: 0.1 }), golden.cosine],
    ['cosineRestarts', cosineRestarts({ first: 8, longer: 2, lower: 0.5, end: 0.05 }), golden.cosineRestarts],
    ['exponential', exponential({ over: 10, factor: 0.5 }), golden.exponential],
    ['polynomial', polynomial({ end: 0.1, power: 2 }), golden.polynomial],
    ['step', step({ every: 15 }), golden.step],
    ['oneCycle', oneCycle(), golden.oneCycle],
  ])('Keras and fastai: %s', (_, schedule, known) => {
    factors(schedule).forEach((factor, step) => {
      expect(factor).toBeCloseTo(known[step] ?? NaN, 6);
    });
  });

  test.each([
    ['patience', plateau({ factor: 0.5, patience: 2 }), golden.plateau, 'validationLoss', false],
    [
      'cooldown, least',
      plateau({ factor: 0.5, patience: 2, minDelta: 0.05, cooldown: 2, least: 0.2 }),
      golden.plateauCooldown,
      'validationLoss',
      false,
    ],
    [
      'accuracy',
      plateau({ factor: 0.5, patience: 3, monitor: 'validationAccuracy' }),
      golden.plateauAccuracy,
      'validationAccuracy',
      true,
    ],
  ] as const)('Keras: plateau, %s', (_, schedule: AdaptiveSchedule, expected, monitor: Monitor, reverse) => {
    let state = schedule.init;
    golden.losses.forEach((loss, epoch) => {
      state = schedule.afterEpoch(state, { epoch, loss: 0, seconds: 0, [monitor]: reverse ? 1 - loss : loss });
      expect(schedule.factor(state, 0, 1), `epoch ${String(epoch)}`).toBeCloseTo(expected[epoch] ?? NaN, 6);
    });
    expect(state.every(Number.isFinite)).toBe(true);
  });
});

describe('warm-up', () => {
  test('rises before any schedule, which then spans the rest of the run', () => {
    const warm = factors(warmUp(cosine(), { steps: 10, from: 0.1 }));
    expect(warm.slice(0, 11).map((factor) => Number(factor.toFixed(9)))).toEqual(
      Array.from({ length: 11 }, (_, step) => Number((0.1 + 0.09 * step).toFixed(9))),
    );
    expect(warm.slice(10)).toEqual(factors(cosine(), 30));
    expect(factors(warmUp(constant(), { steps: 0.25, from: 0 })).slice(9, 11)).toEqual([0.9, 1]);
  });

  test('can precede a schedule that follows figures', () => {
    const schedule = warmUp(plateau({ factor: 0.5, patience: 1 }), { steps: 2, from: 0 });
    let state = schedule.init;
    for (const loss of [1, 1]) state = schedule.afterEpoch(state, { epoch: 0, loss, seconds: 0 });
    expect([0, 1, 5].map((step) => schedule.factor(state, step, 10))).toEqual([0, 0.25, 0.5]);
  });

  test('rises to where the other schedule begins', () => {
    const warm = factors(warmUp(oneCycle({ div: 4 }), { steps: 5, from: 0 }), 45);
    expect(warm.slice(0, 6).map((factor) => Number(factor.toFixed(9)))).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25]);
  });

  test.each([
    [1, 0.1, 0],
    [2, 0.9, 1],
    [30, 0.1, 3],
    [100, 0.29, 29],
  ])('in %i steps a share of %d is %i steps', (total, share, rising) => {
    const warm = factors(warmUp(constant(), { steps: share, from: 0 }), total);
    expect(warm.findIndex((factor) => factor === 1)).toBe(rising);
  });

  test('longer than the run: refused before any update', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const schedule = warmUp(cosine(), { steps: 100 });
    await expect(trainHead(model, tinySamples(), { epochs: 2, batchSize: 8, schedule })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/got 100 steps of warm-up in a run of 6\. Warm up for a share/) as unknown,
    });
    expect(weightValues(model)).toEqual(before);
    model.dispose();
  });
});

test('a straight line is the polynomial of power 1', () => {
  expect(factors(door.linear({ end: 0.2 }))).toEqual(factors(polynomial({ power: 1, end: 0.2 })));
  expect(door.linear({ end: 0.5 })(5, 10)).toBe(0.75);
});

test('after the planned number of steps the factor stays the same', () => {
  for (const schedule of [cosine({ end: 0.1 }), polynomial({ end: 0.1 }), oneCycle({ divFinal: 10 })]) {
    const end = schedule(10, 10);
    expect(end).toBeCloseTo(0.1, 12);
    expect([11, 15].map((step) => schedule(step, 10))).toEqual([end, end]);
  }
});

describe('shares of a run', () => {
  test.each([3, 9, 30, 90, 99, 300, 2997])('step falls after each third of %i steps', (total) => {
    const found = factors(step(), total).flatMap((factor, step, all) => (factor === all[step - 1] ? [] : [step]));
    expect(found).toEqual([0, total / 3, (2 * total) / 3]);
  });

  test('cosineRestarts restarts at each tenth of 30 steps', () => {
    const found = factors(cosineRestarts({ first: 0.1, longer: 1 }), 30);
    expect(found.flatMap((factor, step) => (factor > 1 - 1e-9 ? [step] : []))).toEqual(
      Array.from({ length: 10 }, (_, fall) => 3 * fall),
    );
  });

  test('cosineRestarts by name ends low', () => {
    expect(factors('cosineRestarts', 70).at(-1)).toBeLessThan(0.01);
  });
});

test('names distinguish settings, as checkpoints need', () => {
  const names = [
    'cosine' as const,
    cosine({ end: 0.1 }),
    oneCycle(),
    plateau(),
    plateau({ patience: 5 }),
    warmUp(cosine()),
    warmUp(cosine({ end: 0.1 })),
  ].map((schedule) => settleSchedule(schedule).name);
  expect(names[0]).toBe('cosine({"end":0})');
  expect(new Set(names).size).toBe(names.length);
});

describe.each(keysOf(schedules))('%s by name', (name) => {
  test('equals the exported function of the same name', () => {
    const [byName, made] = [name, door[name]()].map((schedule) => settleSchedule(schedule));
    expect(byName?.name).toBe(made?.name);
    expect(byName?.name.startsWith(`${name}(`)).toBe(true);
    expect(byName?.init).toEqual(made?.init);
    expect(factors(name)).toEqual(factors(door[name]()));
  });

  test('gives factors from 0 to 1', () => {
    for (const factor of factors(name)) {
      expect(factor).toBeGreaterThanOrEqual(0);
      expect(factor).toBeLessThanOrEqual(1);
    }
  });
});

test('an unknown name raises an error with all names', () => {
  const known = keysOf(schedules).map((name) => `'${name}'`);
  expect(() => settleSchedule('sine' as ScheduleName)).toThrow(
    `expected schedule to be ${known.join(', ')}, { name, options, warmUp }, a schedule or a function, got 'sine'.`,
  );
});

test('a schedule as plain data is the one of its function', () => {
  const options = { end: 0.01 };
  const expected = warmUp(cosine(options), { steps: 0.2 });
  const made = settleSchedule({ name: 'cosine', options, warmUp: { steps: 0.2 } });
  expect(made.name).toBe(expected.name);
  for (const at of [0, 5, 20, 99]) expect(made.factor([], at, 100)).toBe(expected.factor([], at, 100));
  expect(settleSchedule({ name: 'plateau' }).name).toBe(plateau().name);
  const constant = { name: 'constant', options: { end: 1 } } as never;
  expect(() => settleSchedule(constant)).toThrow("expected known options of schedule.options, got 'end'");
});

test('plateau: NaN is not better, as in Keras', () => {
  const schedule = plateau({ patience: 2, factor: 0.5 });
  let state = schedule.init;
  const found = [NaN, NaN, 1, NaN, 0.5, NaN, NaN].map((loss, epoch) => {
    state = schedule.afterEpoch(state, { epoch, loss, seconds: 0 });
    return schedule.factor(state, 0, 1);
  });
  expect(found).toEqual([1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25]);
});

test('plateau: a figure that no epoch has raises an error', async () => {
  const model = await tinyTransfer();
  const schedule = plateau({ monitor: 'validationLoss' });
  await expect(trainHead(model, tinySamples(), { epochs: 2, schedule })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(
      /expected the schedule to use a figure of this run \(loss, accuracy\), got validationLoss\. Acc/,
    ) as unknown,
  });
  model.dispose();
});

test('in training: the rate falls if the figure does not improve', async () => {
  const model = await tinyTransfer();
  const log = await trainHead(model, tinySamples(), {
    epochs: 4,
    learningRate: 1e-6,
    schedule: plateau({ patience: 1, factor: 0.5, minDelta: 1, monitor: 'loss' }),
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
  [() => step({ factor: 0 }), 'step: expected factor to be above 0 and at most 1, got 0.'],
  [() => exponential({ over: 0 }), 'exponential: expected over to be a whole number of steps from 1'],
  [() => polynomial({ power: 0 }), 'polynomial: expected power to be a number above 0, got 0.'],
  [() => oneCycle({ rise: 1 }), 'oneCycle: expected rise to be above 0 and below 1, got 1.'],
  [() => oneCycle({ div: 0 }), 'oneCycle: expected div to be a number from 1, got 0.'],
  [() => warmUp(cosine(), { from: -1 }), 'warmUp: expected from to be from 0 to 1, got -1.'],
  [() => plateau({ factor: 1 }), 'plateau: expected factor to be above 0 and below 1, got 1.'],
  [() => plateau({ patience: 0 }), 'plateau: expected patience to be a whole number from 1, got 0.'],
  [() => plateau({ cooldown: 0.5 }), 'plateau: expected cooldown to be a whole number from 0, got 0.5.'],
  [() => plateau({ monitor: 'val_loss' as Monitor }), "plateau: expected monitor to be 'loss', 'accuracy',"],
  [() => settleSchedule({ ...plateau(), factor: 1 as never }), "expected schedule to be 'constant', 'cosine'"],
])('refuses invalid settings: %s', (make, message) => {
  expect(make).toThrow(message);
});
