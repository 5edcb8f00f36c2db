// The range test: what it finds, and that it leaves no trace.
import { beforeAll, describe, expect, test } from 'vitest';
import { findLearningRate, freeze, trainHead, unfreeze } from '../src/index.ts';
import { minimumTenth, smooth, steepest, valley } from '../src/training/run/rateSuggestions.ts';
import { readable } from '../src/training/run/sweepRates.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

describe('suggestions', () => {
  const learningRates = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  test('valley is the middle of the longest decrease', () => {
    expect(valley({ learningRates, losses: [5, 5, 4, 3, 2, 1, 1, 6, 9] })).toBe(2);
    expect(valley({ learningRates, losses: [9, 8, 7, 6, 5, 4, 3, 2, 1] })).toBe(4);
  });

  test('steepest is the rate at which the loss falls fastest', () => {
    expect(steepest({ learningRates, losses: [5, 5, 4.5, 4, 1, 1, 1, 6, 9] })).toBe(4);
  });

  test('minimumTenth is a tenth of the rate with the smallest loss', () => {
    expect(minimumTenth({ learningRates, losses: [5, 5, 4, 3, 2, 1, 0.5, 6, 9] })).toBeCloseTo(0.7, 12);
  });

  test('smoothing has no bias at its start', () => {
    expect(smooth([3, 3, 3], 0.9).map((value) => Number(value.toFixed(12)))).toEqual([3, 3, 3]);
    // (0.9 · 0.1 · 1 + 0.1 · 2) / (1 - 0.81)
    expect(smooth([1, 2], 0.9)[1]).toBeCloseTo(0.29 / 0.19, 12);
  });
});

test('of a curve that ended early the same part is read as in fastai: without a tenth of the requested steps and the last five', () => {
  const all = Array.from({ length: 40 }, (_, i) => i);
  expect(readable(all, all, 100).losses).toEqual(all.slice(10, -5));
  expect(readable(all, all, 40).learningRates).toEqual(all.slice(4, -5));
  // fastai has nothing left here.
  expect(readable(all.slice(0, 8), all.slice(0, 8), 100).losses).toEqual([4, 5, 6, 7]);
});

describe('the test', () => {
  test('does not change weights, freeze state, history and later training, bit for bit', async () => {
    const model = await tinyTransfer();
    const twin = await tinyTransfer();
    unfreeze(model, { lastStages: 1 });
    unfreeze(twin, { lastStages: 1 });
    const frozen = () => model.base.trunk.weights.map((weight) => weight.frozen);
    const before = { values: weightValues(model), frozen: frozen() };
    await expectNoLeak(() => findLearningRate(model, tinySamples(), { unfreeze: 'base', steps: 12, batchSize: 8 }));
    expect(weightValues(model)).toEqual(before.values);
    expect(frozen()).toEqual(before.frozen);
    expect(model.history).toEqual([]);
    expect(model.head.trained).toBe(false);
    await trainHead(model, tinySamples(), { epochs: 2 });
    await trainHead(twin, tinySamples(), { epochs: 2 });
    expect(weightValues(model)).toEqual(weightValues(twin));
    model.dispose();
    twin.dispose();
  });

  test('rates rise by equal factors, and a rate that is far too high ends it', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    const curve = await findLearningRate(model, tinySamples(), { from: 1e-4, to: 1e4, steps: 60, optimizer: 'sgd' });
    const factors = curve.learningRates.slice(1).map((rate, i) => rate / (curve.learningRates[i] ?? NaN));
    for (const factor of factors) expect(factor).toBeCloseTo(1e8 ** (1 / 59), 9);
    expect(curve.stoppedBy).toBe('diverged');
    expect(curve.losses.length).toBe(curve.learningRates.length);
    expect(curve.losses.length).toBeLessThan(60);
    const { valley: found, steepest: steep, minimumTenth: tenth } = curve.suggestions;
    for (const rate of [found, steep, tenth]) expect(rate).toBeGreaterThanOrEqual(1e-5);
    expect(found).toBeLessThan(curve.learningRates.at(-1) ?? 0);
    model.dispose();
  });

  test('a suggested rate trains better than one a thousand times smaller', async () => {
    const model = await tinyTransfer();
    const { suggestions } = await findLearningRate(model, tinySamples(), { batchSize: 8 });
    const run = async (learningRate: number) => {
      const own = await tinyTransfer();
      const log = await trainHead(own, tinySamples(), { epochs: 4, batchSize: 8, learningRate });
      own.dispose();
      return log.epochs.at(-1)?.loss ?? NaN;
    };
    expect(await run(suggestions.valley)).toBeLessThan(await run(suggestions.valley / 1000));
    model.dispose();
  });

  test('a signal stops it', async () => {
    const model = await tinyTransfer();
    const controller = new AbortController();
    const curve = await findLearningRate(model, tinySamples(), {
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'head' && done === 3) controller.abort();
      },
    });
    expect(curve.stoppedBy).toBe('signal');
    expect(curve.losses.length).toBe(3);
    model.dispose();
  });
});

describe('is refused:', () => {
  test.each([
    [{ from: 0 }, /from to be a finite number above 0/],
    [{ from: 1, to: 0.1 }, /to above from \(1\), got 0\.1/],
    [{ steps: 5 }, /steps to be a whole number from 10/],
    [{ smoothing: 1 }, /smoothing to be at least 0 and below 1/],
    [{ unfreeze: 'conv9' }, /conv9/],
  ])('%j', async (options, text) => {
    const model = await tinyTransfer();
    await expect(findLearningRate(model, tinySamples(), options)).rejects.toThrow(text);
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    model.dispose();
  });

  test('a model in which everything is frozen', async () => {
    const model = await tinyTransfer();
    freeze(model, 'all');
    await expect(findLearningRate(model, tinySamples())).rejects.toMatchObject({ code: 'NOTHING_TO_TRAIN' });
    model.dispose();
  });
});
