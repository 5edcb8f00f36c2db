// Which epoch is the best, when patience is over, and which weights the model ends with.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  trainHead,
  type EarlyStoppingOptions,
  type EpochLog,
  type Monitor,
  type TrainHeadOptions,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { settleWatch } from '../../src/training/options/watchOptions.ts';
import { Watch, type StartFigures } from '../../src/training/state/watch.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Epochs until patience is over, and what was best, for a series of figures. */
function follow(values: readonly number[], earlyStopping: EarlyStoppingOptions, monitor: Monitor = 'validationLoss') {
  const watch = new Watch(settleWatch({ monitor, earlyStopping, restoreBest: false }, true));
  const judged: EpochLog[] = values.map((value, epoch) => ({ epoch, loss: 0, seconds: 0, [monitor]: value }));
  const end = judged.findIndex((each) => {
    watch.observe(each);
    return watch.exhausted;
  });
  return { epochs: end === -1 ? values.length : end + 1, best: watch.finish()?.epoch };
}

describe('patience', () => {
  test('counts epochs without a better figure', () => {
    expect(follow([5, 4, 4, 4, 1], { patience: 2 })).toEqual({ epochs: 4, best: 1 });
    expect(follow([5, 4, 4, 3, 3, 3, 1], { patience: 3 })).toEqual({ epochs: 7, best: 6 });
  });

  test('higher accuracies are better', () => {
    expect(follow([0.5, 0.6, 0.6, 0.6], { patience: 2 }, 'validationAccuracy')).toEqual({ epochs: 4, best: 1 });
  });

  test('minDelta is the smallest improvement for patience; the best epoch does not depend on it', () => {
    expect(follow([5, 4.9, 4.8, 4.7], { patience: 2, minDelta: 0.5 })).toEqual({ epochs: 3, best: 2 });
    // Small steps add up.
    expect(follow([5, 4.7, 4.4, 4.1, 3.8], { patience: 2, minDelta: 0.5 })).toEqual({ epochs: 5, best: 4 });
  });

  test('a baseline that is not exceeded ends patience', () => {
    expect(follow([5, 4, 3, 2], { patience: 2, baseline: 1 })).toEqual({ epochs: 2, best: 1 });
    expect(follow([5, 0.5, 3, 2], { patience: 2, baseline: 1 })).toEqual({ epochs: 4, best: 1 });
  });

  test('NaN is never better', () => {
    expect(follow([NaN, 2, NaN, NaN], { patience: 2 })).toEqual({ epochs: 4, best: 1 });
  });
});

const fewExamples = 'Fewer than 10 training examples of across (8), along (8), plain (8): add examples.';

describe('in training', () => {
  // Far too fast: figures go up and down.
  const wild = {
    epochs: 8,
    learningRate: 3,
    schedule: 'constant',
    batchSize: 8,
    optimizer: sgd({ momentum: 0.9 }),
  } as const;

  test.each<Monitor>(['validationLoss', 'validationAccuracy', 'loss'])(
    'the model ends with the best %s',
    async (monitor) => {
      const model = await tinyTransfer();
      const validation = tinySamples(6, 4);
      const seen = new Map<number, unknown>();
      const log = await trainHead(model, tinySamples(), {
        ...wild,
        monitor,
        validation,
        onEpoch: ({ epoch }) => seen.set(epoch, weightValues(model)),
      });
      const values = log.epochs.map((epoch) => epoch[monitor] ?? NaN);
      const best = monitor === 'validationAccuracy' ? Math.max(...values) : Math.min(...values);
      expect(log.best).toEqual({ epoch: values.indexOf(best), monitor, value: best, restored: true });
      if (monitor !== 'loss') expect(log.best?.epoch).toBeLessThan(7);
      expect(weightValues(model)).toEqual(seen.get(log.best?.epoch ?? -1));
      if (monitor === 'validationLoss') expect((await evaluate(model, validation)).loss).toBeCloseTo(best, 5);
      model.dispose();
    },
  );

  test('restoreBest: false leaves the last weights', async () => {
    const model = await tinyTransfer();
    let last: unknown;
    const log = await trainHead(model, tinySamples(), {
      ...wild,
      validation: tinySamples(6, 4),
      restoreBest: false,
      onEpoch: () => (last = weightValues(model)),
    });
    expect(log.best?.restored).toBe(false);
    expect(weightValues(model)).toEqual(last);
    model.dispose();
  });

  test('early stopping ends the run, and the log reports it', async () => {
    const model = await tinyTransfer();
    const log = await expectNoLeak(() =>
      trainHead(model, tinySamples(), {
        epochs: 50,
        learningRate: 3,
        schedule: 'constant',
        optimizer: sgd({ momentum: 0.9 }),
        validation: tinySamples(6, 4),
        earlyStopping: { patience: 2 },
      }),
    );
    expect(log.stoppedBy).toBe('earlyStopping');
    expect(log.epochs.length).toBe((log.best?.epoch ?? NaN) + 3);
    model.dispose();
  });

  describe('initial weights', () => {
    const validation = tinySamples(6, 4);
    const wreck = {
      epochs: 3,
      learningRate: 1e3,
      schedule: 'constant',
      optimizer: sgd({ momentum: 0.9 }),
      validation,
    } as const;

    test.each<Monitor>(['validationLoss', 'validationAccuracy'])(
      'are restored if no epoch has a better %s, and the log reports it',
      async (monitor) => {
        const model = await tinyTransfer();
        await trainHead(model, tinySamples(), { epochs: 8, learningRate: 0.05, solver: 'gradient' });
        const before = { values: weightValues(model), ...(await evaluate(model, validation)) };
        const log = await expectNoLeak(() =>
          fineTune(model, tinySamples(), { ...wreck, monitor, unfreeze: 'all', clip: { value: 1 } }),
        );
        expect(log.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
        expect(log.before?.validationLoss).toBeCloseTo(before.loss, 5);
        expect(log.before?.validationAccuracy).toBe(before.accuracy);
        expect(log.best).toEqual({
          epoch: -1,
          monitor,
          value: log.before?.[monitor as keyof StartFigures],
          restored: true,
        });
        expect(log.warnings).toEqual([
          expect.stringMatching(/^Expected an epoch with a better validation\w+ than that of the weights before/),
          fewExamples,
        ]);
        expect(weightValues(model)).toEqual(before.values);
        expect(model.head.trained).toBe(true);
        model.dispose();
      },
    );

    test('have the number before the first epoch, also in trainHead on a trained head', async () => {
      const model = await tinyTransfer();
      await trainHead(model, tinySamples());
      const before = weightValues(model);
      const log = await trainHead(model, tinySamples(), { ...wreck, initialEpoch: 5, epochs: 7 });
      expect(log.best).toMatchObject({ epoch: 4, restored: true });
      expect(weightValues(model)).toEqual(before);
      model.dispose();
    });

    test('are replaced by a better epoch, and patience ignores them', async () => {
      const model = await tinyTransfer();
      await trainHead(model, tinySamples(), { epochs: 1, learningRate: 1e-4, solver: 'gradient' });
      const better = await trainHead(model, tinySamples(), { epochs: 4, learningRate: 0.05, validation });
      expect(better.best?.epoch).toBeGreaterThanOrEqual(0);
      expect(better.best?.value).toBeLessThan(better.before?.validationLoss ?? NaN);
      expect(better.warnings).toEqual([fewExamples]);
      const stopped = await fineTune(model, tinySamples(), {
        ...wreck,
        epochs: 30,
        clip: { value: 1 },
        earlyStopping: 2,
      });
      const losses = stopped.epochs.map(({ validationLoss = NaN }) => validationLoss);
      // The first epoch begins patience, however bad it is.
      expect(losses.length).toBeGreaterThanOrEqual(3);
      expect(losses.indexOf(Math.min(...losses))).toBe(losses.length - 3);
      model.dispose();
    });

    test.each<[string, TrainHeadOptions, boolean]>([
      ['where the head was never trained', { validation }, false],
      ['without restoreBest', { validation, restoreBest: false }, true],
      ['by a figure of training', { validation, monitor: 'loss' }, true],
      ['without validation', {}, true],
    ])('are not measured %s', async (_, options, isTrained) => {
      const model = await tinyTransfer();
      if (isTrained) await trainHead(model, tinySamples());
      const log = await trainHead(model, tinySamples(), { epochs: 1, solver: 'gradient', ...options });
      expect(log.before).toBeUndefined();
      model.dispose();
    });

    test('with averages and moving statistics: both are restored', async () => {
      const model = await tinyTransfer();
      await trainHead(model, tinySamples());
      const before = weightValues(model);
      const more = { ema: { decay: 0.5 }, batchNorm: 'train', unfreeze: 'all', clip: { value: 1 } } as const;
      const log = await expectNoLeak(() => fineTune(model, tinySamples(), { ...wreck, ...more }));
      expect(log.best?.epoch).toBe(-1);
      expect(weightValues(model)).toEqual(before);
      model.dispose();
    });
  });

  test('without validation no epochs are compared', async () => {
    const model = await tinyTransfer();
    const log = await trainHead(model, tinySamples(), { epochs: 2 });
    expect(log.best).toBeUndefined();
    model.dispose();
  });
});

describe('what is refused', () => {
  test.each([
    [{ earlyStopping: true }, /validation samples, or monitor: 'loss', for earlyStopping/],
    [{ monitor: 'validationLoss' }, /validation samples for monitor 'validationLoss'/],
    [
      { monitor: 'val_loss' },
      /monitor to be 'loss', 'accuracy', 'validationLoss' or 'validationAccuracy', got 'val_loss'/,
    ],
    [{ earlyStopping: 0, validation: 0.25 }, /earlyStopping\.patience to be a whole number from 1, got 0/],
    [{ earlyStopping: { minDelta: -1 }, validation: 0.25 }, /earlyStopping\.minDelta to be a finite number from 0/],
    [{ earlyStopping: { baseline: NaN }, validation: 0.25 }, /earlyStopping\.baseline to be a finite number/],
    [{ earlyStopping: 'yes', validation: 0.25 }, /earlyStopping to be true, a number of epochs or/],
  ])('%j', async (options, text) => {
    const model = await tinyTransfer();
    await expect(trainHead(model, tinySamples(), options as never)).rejects.toThrow(text);
    model.dispose();
  });
});
