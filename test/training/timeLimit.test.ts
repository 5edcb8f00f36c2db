// The time limit covers the whole call: features, the head, epochs and the last validation; and the model stays usable.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  fineTune,
  fromArrays,
  predict,
  replaceHead,
  trainHead,
  type FineTuneOptions,
  type Samples,
  type TrainingLog,
  type TransferModel,
} from '../../src/index.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(useTestBackend);

/** Samples each of which takes some time to read. */
function slow(samples: Samples, milliseconds: number): Samples {
  return defineSamples({
    size: samples.size,
    target: (index) => samples.target(index) as string,
    read: async (index) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return samples.read(index);
    },
  });
}

async function expectUsable(model: TransferModel): Promise<void> {
  expect(Object.values(weightValues(model)).flat().every(Number.isFinite)).toBe(true);
  const { input } = await tinySamples(1).read(0);
  const predictions = await predict(model, input);
  expect(predictions.reduce((sum, each) => sum + ('probability' in each ? each.probability : NaN), 0)).toBeCloseTo(
    1,
    5,
  );
}

/** Runs a verb on a new model; returns its log, the model, and whether weights of base and head changed. */
async function after(run: (model: TransferModel) => Promise<TrainingLog>, hidden: number[] = []) {
  const model = await tinyTransfer({ hidden });
  const before = weightValues(model);
  const log = await expectNoLeak(() => run(model));
  const now = weightValues(model);
  const changed = (weights: readonly { readonly name: string }[]) =>
    weights.some(({ name }) => String(now[name]) !== String(before[name]));
  const result = {
    log,
    base: changed(model.base.trunk.weights),
    head: changed(model.head.trunk.weights),
    trained: model.head.trained,
    phases: model.history.map(({ phase, stoppedBy, epochs }) => `${phase} ${stoppedBy} ${String(epochs.length)}`),
  };
  await expectUsable(model);
  model.dispose();
  return result;
}

const all: FineTuneOptions = { epochs: 1000, unfreeze: 'base', batchSize: 8, augment: 'none', blend: false };

describe('fineTune with a time limit', () => {
  test('that is over while the features of the head are computed leaves the model as it was', async () => {
    const { log, ...rest } = await after((model) =>
      fineTune(model, slow(tinySamples(20), 200), { ...all, maxSeconds: 0.1 }),
    );
    expect(log).toMatchObject({ phase: 'fineTune', stoppedBy: 'time', epochs: [] });
    expect(rest).toEqual({ base: false, head: false, trained: false, phases: ['head time 0', 'fineTune time 0'] });
    expect(log.seconds).toBeLessThan(3);
  });

  test('shorter than any batch ends at once', async () => {
    const { log, base, head } = await after((model) => fineTune(model, tinySamples(20), { ...all, maxSeconds: 1e-6 }));
    expect(log).toMatchObject({ stoppedBy: 'time', epochs: [] });
    expect([base, head]).toEqual([false, false]);
  });

  test('of which the solver needs the rest keeps the solved head', async () => {
    const over = performance.now() + 3000;
    const { log, ...rest } = await after((model) =>
      fineTune(model, tinySamples(20), {
        ...all,
        maxSeconds: 3,
        // The features are ready in time; the solver is still at work when the time is over.
        onProgress: async ({ phase, done }) => {
          if (phase === 'head' && done > 0)
            await new Promise((resolve) => setTimeout(resolve, over - performance.now()));
        },
      }),
    );
    expect(log).toMatchObject({ phase: 'fineTune', stoppedBy: 'time', epochs: [] });
    expect(rest).toEqual({
      base: false,
      head: true,
      trained: true,
      phases: ['head converged 1', 'fineTune time 0'],
    });
  });

  test('covers a head that is trained by gradients', async () => {
    const { log, phases, base, head } = await after(
      (model) => fineTune(model, tinySamples(20), { ...all, headEpochs: 100_000, maxSeconds: 0.4 }),
      [5],
    );
    expect(phases).toEqual([expect.stringMatching(/^head time [1-9]/), 'fineTune time 0']);
    expect([base, head, log.stoppedBy]).toEqual([false, true, 'time']);
  });

  test('leaves the figures of the last weights in the log', async () => {
    const { log, base } = await after((model) =>
      fineTune(model, tinySamples(20), { ...all, epochs: 100_000, maxSeconds: 2 }),
    );
    expect(log.stoppedBy).toBe('time');
    expect(log.epochs.at(-1)?.validationLoss).toBeGreaterThanOrEqual(0);
    expect(log.epochs.length).toBeGreaterThan(0);
    expect([base, log.heldOut]).toEqual([log.best?.epoch !== -1, 9]);
    expect(log.seconds).toBeLessThan(3);
  });

  test('ends early enough for a validation that is slow', async () => {
    const { train, validation } = tinySamples(20).split({ validation: 0.5 });
    const { log } = await after((model) =>
      fineTune(model, train, { ...all, cache: false, maxSeconds: 3, validation: slow(validation, 20 * 32) }),
    );
    expect(log.stoppedBy).toBe('time');
    expect(log.seconds).toBeLessThan(3.5);
  });

  test('of a later step of unfreezing stops before its features', async () => {
    const unfreeze = [
      { epoch: 0, lastStages: 1 },
      { epoch: 1, lastStages: 2 },
    ];
    let reads = 0;
    const samples = tinySamples(8);
    const delayed = defineSamples({
      size: samples.size,
      target: (index) => samples.target(index) as string,
      read: async (index) => {
        // The features of the head and of the first step are read quickly, those of the second step slowly.
        if (++reads > 2 * samples.size) await new Promise((resolve) => setTimeout(resolve, 5000));
        return samples.read(index);
      },
    });
    const { log } = await after((model) =>
      fineTune(model, delayed, { epochs: 3, unfreeze, batchSize: 8, maxSeconds: 4 }),
    );
    expect(log).toMatchObject({ stoppedBy: 'time', epochs: [{ epoch: 0 }] });
  });
});

test('trainHead with a time limit that is over while features are computed leaves the head untrained, and says so', async () => {
  const { log, trained } = await after((model) =>
    trainHead(model, slow(tinySamples(20), 200), { epochs: 3, maxSeconds: 0.1 }),
  );
  expect(log).toMatchObject({ stoppedBy: 'time', epochs: [], method: 'gradient' });
  expect(trained).toBe(false);
});

test('ten thousand labels end in time, with a model that predicts', async () => {
  const labels = Array.from({ length: 10_000 }, (_, i) => `label ${String(i)}`);
  const { input } = await tinySamples(1).read(0);
  const samples = fromArrays({ inputs: labels.map(() => input), targets: labels });
  const tiny = await tinyTransfer();
  const model = replaceHead(tiny.base, { labels, hidden: [4] });
  const log = await fineTune(model, samples, { batchSize: 64, unfreeze: 'head', augment: 'none', maxSeconds: 2 });
  expect(log.stoppedBy).toBe('time');
  expect(log.seconds).toBeLessThan(10);
  expect(log.reasons.validation).toContain('10000 of 10000 labels have fewer than 12 examples');
  expect(await predict(model, input, { topK: 3 })).toHaveLength(3);
  model.dispose();
  tiny.dispose();
});
