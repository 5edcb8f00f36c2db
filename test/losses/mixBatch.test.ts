// Mixup and CutMix against the same thing written out in plain numbers, and the distribution that shares are drawn
// from.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend, type TaskName } from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { drawBeta } from '../../src/losses/betaDistribution.ts';
import { settleLoss, weightedMean } from '../../src/losses/losses.ts';
import { mixBatch, settleMix, type MixOptions } from '../../src/losses/mixBatch.ts';
import golden from '../golden/losses.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

const classes = 3;
const labels = [0, 2, 1, 1, 0];

interface Given {
  readonly shape?: readonly number[];
  readonly weights?: readonly number[];
  readonly task?: TaskName;
}

function batchOf({ shape = [5, 4], weights = [1, 1, 1, 1, 1], task = 'classes' }: Given = {}) {
  const [rows = 0] = shape;
  const own = labels.slice(0, rows);
  const targets = own.flatMap((label) => Array.from({ length: classes }, (_, c) => Number(c === label)));
  return {
    input: wave(shape, 1, 0.3),
    targets: tf.tensor2d(targets, [rows, classes]),
    weights: tf.tensor1d([...weights]),
    parts: [{ task, from: 0, to: classes }],
  };
}

function mixed(options: MixOptions, given: Given, seed: number) {
  const mix = settleMix(options);
  if (mix === undefined) throw new Error('a batch of one is unchanged');
  const before = batchOf(given);
  const after = mixBatch(mix, before, seed);
  return { before: rowsOf(before), after: rowsOf(after), tensors: after };
}

/** Values by example. */
function rowsOf({ input, targets, weights }: { input: tf.Tensor; targets: tf.Tensor; weights: tf.Tensor }) {
  const split = (x: tf.Tensor) => {
    const values = Array.from(x.dataSync());
    const [rows = 0] = x.shape as number[];
    const width = values.length / rows;
    return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
  };
  return { input: split(input), targets: split(targets), weights: Array.from(weights.dataSync()) };
}

function blended(share: number, rows: readonly (readonly number[])[]): number[][] {
  return rows.map((row, i) =>
    row.map((value, k) => share * value + (1 - share) * (rows[rows.length - 1 - i]?.[k] ?? NaN)),
  );
}

function expectClose(found: readonly (readonly number[])[], expected: readonly (readonly number[])[]) {
  expect(found.length).toBe(expected.length);
  found.flat().forEach((value, i) => {
    expect(value).toBeCloseTo(expected.flat()[i] ?? NaN, 5);
  });
}

/** Where a picture was changed, as [rows, columns]; all channels of a place change together. */
function changed(
  before: readonly number[],
  after: readonly number[],
  [, height = 0, width = 0, channels = 0]: number[],
) {
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => {
      const place = (row * width + column) * channels;
      return before.slice(place, place + channels).some((value, c) => value !== after[place + c]);
    }),
  );
}

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test.each([0.2, 1, 3])('mixup with alpha %s is one share of each example and of its mirror', (alpha) => {
    for (const seed of [1, 2, 3]) {
      const share = drawBeta(alpha, randomGenerator(seed));
      const { before, after } = mixed({ mixup: alpha }, {}, seed);
      expectClose(after.input, blended(share, before.input));
      expectClose(after.targets, blended(share, before.targets));
      expectClose([after.weights], [before.weights]);
    }
  });

  test('CutMix puts one rectangle of the mirror into each picture, and its area is in the targets', () => {
    const shape = [4, 7, 9, 2];
    const areas = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const { before, after } = mixed({ cutMix: 1 }, { shape, weights: [1, 1, 1, 1] }, seed);
      const places = changed(before.input[0] ?? [], after.input[0] ?? [], shape);
      const rows = places.flatMap((row, i) => (row.some(Boolean) ? [i] : []));
      const columns = (places[0] ?? []).flatMap((_, i) => (places.some((row) => row[i]) ? [i] : []));
      const area = places.flat().filter(Boolean).length;
      areas.add(area);
      // A rectangle: every row that is touched is touched from the first to the last column.
      expect(area).toBe(rows.length * columns.length);
      expect(rows.at(-1) ?? -1).toBe((rows[0] ?? 0) + rows.length - 1);
      expectClose(after.targets, blended(1 - area / 63, before.targets));
      after.input.forEach((picture, i) => {
        const mirror = before.input[3 - i] ?? [];
        picture.forEach((value, k) => {
          const inside = places[Math.floor(k / 18)]?.[Math.floor(k / 2) % 9] === true;
          expect(value).toBe(inside ? mirror[k] : before.input[i]?.[k]);
        });
      });
    }
    expect(areas.size).toBeGreaterThan(8);
  });

  test('with both, each batch uses one', () => {
    const shape = [2, 6, 6, 1];
    const cut = Array.from({ length: 200 }, (_, seed) => {
      const { before, after } = mixed({ mixup: 5, cutMix: 5 }, { shape, weights: [1, 1] }, seed);
      return after.input[0]?.some((value, k) => value === before.input[0]?.[k]) ?? false;
    });
    const share = cut.filter(Boolean).length / cut.length;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  });

  test('every label counts with the weight of its example, as PyTorch weighs shares', () => {
    const classWeights = [1, 4, 0.5];
    const weights = labels.map((label) => classWeights[label] ?? NaN);
    const { before, tensors } = mixed({ mixup: 1 }, { weights }, 5);
    const share = drawBeta(1, randomGenerator(5));
    const logits = wave([5, classes], 2, 0.4);
    const { losses } = boundLoss('classes');
    const found = weightedMean(losses(logits, tensors.targets), tensors.weights).dataSync()[0];
    expect(found).toBeCloseTo(weighShares(logits, blended(share, before.targets), classWeights), 5);
  });

  test('an example of weight 0 has no influence, and a pair of them weight 0', () => {
    const { after } = mixed({ mixup: 1 }, { weights: [0, 0, 1, 1, 0] }, 5);
    expect(after.targets[0]).toEqual([0, 0, 0]);
    expect(after.weights[0]).toBe(0);
    expect(after.targets[1]).toEqual([0, 1, 0]);
  });

  test('numbers of a regression are blended as inputs are', () => {
    const { before, after } = mixed({ mixup: 1 }, { weights: [1, 2, 3, 4, 5], task: 'regression' }, 9);
    expectClose(after.targets, blended(drawBeta(1, randomGenerator(9)), before.targets));
  });

  test('targets of several heads are blended, each by its task', () => {
    const mix = settleMix({ mixup: 1 })!;
    const batch = batchOf({ weights: [1, 2, 3, 4, 5] });
    const parts = (['regression', 'classes'] as const).map((task, i) => ({ task, from: i, to: i === 0 ? 1 : classes }));
    const together = rowsOf(mixBatch(mix, { ...batch, parts }, 2)).targets;
    const numbers = mixed({ mixup: 1 }, { weights: [1, 2, 3, 4, 5], task: 'regression' }, 2).after.targets;
    const shares = mixed({ mixup: 1 }, { weights: [1, 2, 3, 4, 5] }, 2).after.targets;
    expectClose(
      together,
      numbers.map((row, i) => [row[0] ?? NaN, ...(shares[i]?.slice(1) ?? [])]),
    );
  });

  test('the same seed gives the same bits, in new tensors; nothing leaks', async () => {
    const mix = settleMix({ mixup: 0.4, cutMix: 1 })!;
    const batch = batchOf({ shape: [5, 6, 6, 2] });
    for (let seed = 0; seed < 6; seed++) {
      const first = await expectNoLeak(() => mixBatch(mix, batch, seed), 3);
      const second = mixBatch(mix, batch, seed);
      expect(rowsOf(second)).toEqual(rowsOf(first));
      tf.dispose([first.input, first.targets, first.weights]);
      expect(batch.input.isDisposed).toBe(false);
    }
  });

  test.each([
    [
      'cutMix of features',
      { cutMix: 1 },
      () => wave([5, 4], 1, 0),
      /expected pictures or feature maps .*, got \[5, 4\]/,
    ],
    [
      'whole numbers',
      { mixup: 1 },
      () => tf.zeros([5, 4], 'int32'),
      /expected inputs of type float32 to mix, got int32/,
    ],
  ])('%s is refused, and nothing leaks', async (_, options, make, text) => {
    const mix = settleMix(options)!;
    const batch = { ...batchOf(), input: make() };
    await expectNoLeak(() => {
      expect(() => mixBatch(mix, batch, 1)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(text) as string }),
      );
    });
  });
});

test.each([0, -1, NaN, Infinity, '1' as unknown as number])('alpha %s is refused', (alpha) => {
  expect(() => settleMix({ mixup: alpha })).toThrow(/expected mixup to be the alpha of a Beta/);
  expect(() => settleMix({ mixup: 1, cutMix: alpha })).toThrow(/expected cutMix to be the alpha of a Beta/);
});

test('a batch of one is unchanged', () => {
  expect(settleMix({})).toBeUndefined();
});

test.each([0.05, 0.2, 0.7, 1, 2, 40])('shares are distributed by Beta(%s, the same)', (alpha) => {
  const random = randomGenerator(11);
  const draws = Array.from({ length: 20_000 }, () => drawBeta(alpha, random));
  const moment = (power: number) => draws.reduce((sum, draw) => sum + (draw - 0.5) ** power, 0) / draws.length;
  const variance = 1 / (4 * (2 * alpha + 1));
  // Central moments of the symmetric Beta distribution; its kurtosis is 3 - 6 / (2 alpha + 3).
  expect(draws.every((draw) => draw >= 0 && draw <= 1)).toBe(true);
  expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(variance / draws.length));
  expect(moment(2) / variance).toBeCloseTo(1, 1);
  expect(moment(4) / variance ** 2).toBeCloseTo(3 - 6 / (2 * alpha + 3), 1);
});

test('the formula that weighs shares is PyTorch’s', () => {
  const shares = [
    [0.7, 0.1, 0, 0.2, 0],
    [0, 0, 0.5, 0.5, 0],
    [0.2, 0.2, 0.2, 0.2, 0.2],
    [0, 1, 0, 0, 0],
  ];
  const found = weighShares(wave([4, 5], 6, 0.2), shares, [1, 2, 0.5, 3, 1]);
  expect(found).toBeCloseTo(golden.torchWeightedShares.loss, 4);
});

/** Mean over examples of `-Σ weight · share · log softmax(logits)`. */
function weighShares(
  logits: tf.Tensor,
  shares: readonly (readonly number[])[],
  classWeights: readonly number[],
): number {
  const logs = Array.from(tf.logSoftmax(logits).dataSync());
  const width = classWeights.length;
  const costs = shares.flatMap((row, i) =>
    row.map((share, c) => -share * (classWeights[c] ?? NaN) * (logs[i * width + c] ?? NaN)),
  );
  return costs.reduce((sum, cost) => sum + cost, 0) / shares.length;
}

function boundLoss(task: TaskName) {
  const loss = settleLoss(task);
  return { losses: (logits: tf.Tensor, targets: tf.Tensor) => loss.losses(logits, targets) };
}
