// trainHead and fineTune on a small network: what moves and what does not, caching, seeds, stopping, failing.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  freeze,
  fromArrays,
  replaceHead,
  trainHead,
  unfreeze,
  type EpochLog,
  type Progress,
  type TransferModel,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { isUsualWay, useTestBackend } from '../support/testBackend.ts';
import { tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';
import { randomGenerator } from '../../src/core/random.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Names of the weights whose values differ. */
function moved(before: Record<string, number[]>, after: Record<string, number[]>): string[] {
  return Object.keys(before).filter((name) => !before[name]?.every((value, i) => Object.is(value, after[name]?.[i])));
}

const statistics = /moving_(mean|variance)$/;

describe('frozen means frozen, bit for bit', () => {
  test('trainHead changes only the head, even if the base is unfrozen', async () => {
    const model = await tinyTransfer();
    unfreeze(model);
    const before = weightValues(model);
    await trainHead(model, tinySamples(), { epochs: 2 });
    expect(moved(before, weightValues(model))).toEqual(['head_logits/kernel', 'head_logits/bias']);
  });

  test('fineTune of the last stage changes that stage and the head, and no BatchNorm statistics', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    await fineTune(model, tinySamples(), { unfreeze: { lastStages: 1 }, epochs: 2 });
    expect(moved(before, weightValues(model))).toEqual([
      'conv2/kernel',
      'conv2/bias',
      'bn2/beta',
      'head_logits/kernel',
      'head_logits/bias',
    ]);
  });

  test('fineTune of everything changes every weight except statistics', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    await fineTune(model, tinySamples(), { epochs: 1, learningRate: 1e-3, unfreeze: 'base' });
    expect(moved(before, weightValues(model))).toEqual(Object.keys(before).filter((name) => !statistics.test(name)));
  });

  test('single frozen layers inside the unfrozen part do not change', async () => {
    const model = await tinyTransfer();
    unfreeze(model);
    freeze(model, ['block_1_depthwise', /^bn2$/]);
    const before = weightValues(model);
    await fineTune(model, tinySamples(), { epochs: 1, learningRate: 1e-3 });
    const after = moved(before, weightValues(model));
    expect(after).toContain('conv1/kernel');
    expect(after.filter((name) => /^(block_1_depthwise|bn2)\//.test(name))).toEqual([]);
  });
});

describe('the frozen prefix is computed once', () => {
  test.each([
    [
      'trainHead',
      (model: TransferModel, cache: boolean) => trainHead(model, tinySamples(), { epochs: 3, cache, seed: 5 }),
    ],
    [
      'fineTune',
      (model: TransferModel, cache: boolean) =>
        fineTune(model, tinySamples(), { unfreeze: 'conv2', epochs: 3, cache, seed: 5, learningRate: 1e-3 }),
    ],
  ])('%s gives the same weights with the cache and without', async (_, train) => {
    const [cached, streamed] = [await tinyTransfer(), await tinyTransfer()];
    await train(cached, true);
    await train(streamed, false);
    const [a, b] = [weightValues(cached), weightValues(streamed)];
    for (const name of Object.keys(a))
      a[name]?.forEach((value, i) => {
        expect(value).toBeCloseTo(b[name]?.[i] ?? NaN, 5);
      });
  });

  test('the log names its last stage', async () => {
    const model = await tinyTransfer();
    expect((await trainHead(model, tinySamples(), { epochs: 1 })).cachedUpTo).toBe('head_pooling_average');
    expect((await fineTune(model, tinySamples(), { unfreeze: 'conv2', epochs: 1 })).cachedUpTo).toBe('pool');
    unfreeze(model);
    expect((await fineTune(model, tinySamples(), { epochs: 1 })).cachedUpTo).toBeUndefined();
  });

  test('each example is read once with the cache, once an epoch without', async () => {
    const reads = async (cache: boolean) => {
      const model = await tinyTransfer();
      const samples = tinySamples();
      let count = 0;
      const counted = { ...samples, read: (index: number) => (count++, samples.read(index)) };
      await trainHead(model, counted, { epochs: 4, cache });
      return count;
    };
    expect(await reads(true)).toBe(24);
    expect(await reads(false)).toBe(96);
  });
});

describe('the seed determines everything', () => {
  const run = async (seed: number) => {
    const model = await tinyTransfer({ hidden: [8], dropout: 0.3 });
    await fineTune(model, tinySamples(), { unfreeze: 'conv2', epochs: 2, headEpochs: 2, seed, validation: 0.25 });
    return weightValues(model);
  };

  test('the same seed gives the same weights, bit for bit; another seed others', async () => {
    const [first, second, other] = [await run(3), await run(3), await run(4)];
    expect(moved(first, second)).toEqual([]);
    expect(moved(first, other)).toContain('head_logits/kernel');
  });
});

describe('learning', () => {
  test('a head learns the task, fine-tuning lowers the loss further', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    const samples = tinySamples(16);
    await trainHead(model, samples, { epochs: 20, learningRate: 0.01 });
    const head = await evaluate(model, samples);
    await fineTune(model, samples, { epochs: 6, learningRate: 6e-3, unfreeze: 'base', blend: false });
    const tuned = await evaluate(model, samples);
    expect(head.accuracy).toBeGreaterThan(0.6);
    expect(tuned.loss).toBeLessThan(head.loss / 2);
    expect((await evaluate(model, tinySamples(16, 9))).accuracy).toBeGreaterThan(0.9);
  });

  test.runIf(isUsualWay)('a linear head on fixed features converges to the known optimum', async () => {
    const random = randomGenerator(2);
    const inputs = Array.from({ length: 48 }, (_, i) => tinyPicture(i % 2 === 0 ? 'across' : 'plain', random));
    const model = await tinyTransfer({ task: 'regression', outputs: ['sum', 'constant'], dropout: 0 }, 'relu1');
    const targets = inputs.map((input) => {
      const pooled = tf.tidy(() => tf.mean(model.base.trunk.run(tf.tensor4d(input, [1, 16, 16, 3])), [1, 2]));
      return [2 * Array.from(pooled.dataSync()).reduce((a, b) => a + b) - 1, 2];
    });
    for (const learningRate of [0.05, 0.01, 0.002]) {
      await trainHead(model, fromArrays({ inputs, targets }), {
        epochs: 400,
        learningRate,
        batchSize: 48,
        schedule: 'constant',
      });
    }
    const { perOutput } = await evaluate(model, fromArrays({ inputs, targets }));
    expect(perOutput.map(({ output }) => output)).toEqual(['sum', 'constant']);
    for (const { meanAbsoluteError } of perOutput) expect(meanAbsoluteError).toBeLessThan(0.02);
    expect(perOutput[0]?.rSquared).toBeGreaterThan(0.999);
  });

  test('binary and multi-label heads learn', async () => {
    const random = randomGenerator(3);
    const kinds = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 'across' : 'along'));
    const inputs = kinds.map((kind) => tinyPicture(kind, random));
    const binary = await tinyTransfer({ task: 'binary', labels: ['across', 'along'], dropout: 0 });
    const options = { unfreeze: 'conv2', epochs: 12, learningRate: 5e-3, batchSize: 8 };
    await fineTune(binary, fromArrays({ inputs, targets: kinds }), options);
    expect((await evaluate(binary, fromArrays({ inputs, targets: kinds }))).accuracy).toBe(1);
    const several = await tinyTransfer({ task: 'multiLabel', labels: ['across', 'any'], dropout: 0 });
    const samples = fromArrays({
      inputs,
      targets: kinds.map((kind) => (kind === 'across' ? ['across', 'any'] : ['any'])),
    });
    await fineTune(several, samples, options);
    const { accuracy, perLabel } = await evaluate(several, samples);
    expect(accuracy).toBe(1);
    expect(perLabel.map(({ label, support }) => [label, support])).toEqual([
      ['across', 12],
      ['any', 24],
    ]);
  });
});

describe('fineTune decides as documented', () => {
  test('a head that was never trained is trained first, by headEpochs', async () => {
    const model = await tinyTransfer();
    await fineTune(model, tinySamples(), { unfreeze: 'conv2', epochs: 1, headEpochs: 2 });
    expect(model.history.map(({ phase, epochs }) => [phase, epochs.length])).toEqual([
      ['head', 2],
      ['fineTune', 1],
    ]);
    await fineTune(model, tinySamples(), { epochs: 1 });
    expect(model.history.map(({ phase }) => phase)).toEqual(['head', 'fineTune', 'fineTune']);
  });

  test('headEpochs 0 skips that', async () => {
    const model = await tinyTransfer();
    await fineTune(model, tinySamples(), { epochs: 1, headEpochs: 0 });
    expect(model.history.map(({ phase }) => phase)).toEqual(['fineTune']);
  });

  test('without the option unfreeze it trains unfrozen layers, and those after a third of the work if none is unfrozen', async () => {
    const some = await tinyTransfer();
    unfreeze(some, 'conv2');
    expect((await fineTune(some, tinySamples(), { epochs: 1 })).cachedUpTo).toBe('pool');
    const none = await tinyTransfer();
    expect((await fineTune(none, tinySamples(), { epochs: 1 })).settings.unfreeze).toEqual({ lastStages: 2 });
    expect(none.base.trunk.weights.filter(({ frozen }) => frozen).map(({ name }) => name)).toContain('conv1/kernel');
    expect(none.base.trunk.weights.at(-1)?.frozen).toBe(false);
  });

  test('head and base have their own rates', async () => {
    const model = await tinyTransfer();
    await trainHead(model, tinySamples(), { epochs: 1 });
    const before = weightValues(model);
    const log = await fineTune(model, tinySamples(), {
      epochs: 1,
      batchSize: 24,
      optimizer: sgd(),
      schedule: 'constant',
      learningRate: { base: 1e-30, head: 0.1 },
    });
    expect(moved(before, weightValues(model))).toEqual(['head_logits/kernel', 'head_logits/bias']);
    expect(log.epochs[0]?.learningRate).toEqual({ base: 1e-30, head: 0.1 });
  });
});

describe('validation', () => {
  test('a share is held out by class, and its figures are in the log', async () => {
    const model = await tinyTransfer();
    const log = await trainHead(model, tinySamples(), { epochs: 2, validation: 0.25 });
    expect(log.examples).toBe(18);
    for (const epoch of log.epochs) {
      expect(epoch.validationLoss).toBeGreaterThan(0);
      expect(epoch.validationAccuracy).toBeGreaterThanOrEqual(0);
    }
  });

  test('separate samples give the same figures as evaluate', async () => {
    const model = await tinyTransfer();
    const validation = tinySamples(4, 7);
    const log = await trainHead(model, tinySamples(), { epochs: 1, validation });
    const { loss, accuracy } = await evaluate(model, validation);
    expect(log.epochs[0]?.validationLoss).toBeCloseTo(loss, 5);
    expect(log.epochs[0]?.validationAccuracy).toBe(accuracy);
  });
});

describe('the log and the callbacks', () => {
  test('epochs are numbered from initialEpoch, as in Keras', async () => {
    const model = await tinyTransfer();
    const seen: EpochLog[] = [];
    const log = await trainHead(model, tinySamples(), {
      initialEpoch: 3,
      epochs: 5,
      onEpoch: (epoch) => seen.push(epoch),
    });
    expect(log.epochs.map(({ epoch }) => epoch)).toEqual([3, 4]);
    expect(seen).toEqual(log.epochs.map((epoch) => ({ ...epoch, phase: 'head' })));
    expect(model.history).toEqual([log]);
    expect(JSON.parse(JSON.stringify(log))).toMatchObject({
      phase: 'head',
      stoppedBy: 'epochs',
      examples: 24,
      skipped: [],
    });
  });

  test('progress runs from 0 to the total in each phase', async () => {
    const model = await tinyTransfer();
    const seen: Progress[] = [];
    await trainHead(model, tinySamples(), { epochs: 2, batchSize: 10, onProgress: (progress) => seen.push(progress) });
    const ofPhase = (phase: string) =>
      seen.filter((each) => each.phase === phase).map(({ done, total }) => [done, total]);
    expect(ofPhase('features')).toEqual([
      [0, 24],
      [10, 24],
      [20, 24],
      [24, 24],
    ]);
    expect(ofPhase('head')).toEqual([
      [0, 48],
      [10, 48],
      [20, 48],
      [24, 48],
      [34, 48],
      [44, 48],
      [48, 48],
    ]);
    expect(seen.at(-1)?.secondsLeft).toBe(0);
  });
});

describe('stopping', () => {
  test('a signal stops between two batches; the model is usable and the log reports it', async () => {
    const model = await tinyTransfer();
    const abort = new AbortController();
    const log = await trainHead(model, tinySamples(), {
      epochs: 50,
      signal: abort.signal,
      onEpoch: ({ epoch }) => {
        if (epoch === 1) abort.abort();
      },
    });
    expect(log.stoppedBy).toBe('signal');
    expect(log.epochs).toHaveLength(2);
    expect((await evaluate(model, tinySamples())).examples).toBe(24);
  });

  test('a timer can abort: training lets the rest of the program run', async () => {
    const model = await tinyTransfer();
    const log = await fineTune(model, tinySamples(), { epochs: 10_000, signal: AbortSignal.timeout(150) });
    expect(log.stoppedBy).toBe('signal');
  });

  test('an aborted signal stops before the first batch', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const log = await trainHead(model, tinySamples(), { signal: AbortSignal.abort() });
    expect(log).toMatchObject({ stoppedBy: 'signal', epochs: [] });
    expect(moved(before, weightValues(model))).toEqual([]);
  });
});

test('a loss that is not finite stops, restores the last finite weights and gives advice', async () => {
  const model = await tinyTransfer({ task: 'regression', dropout: 0 });
  const inputs = Array.from({ length: 32 }, () => tinyPicture('plain', randomGenerator(1)));
  const samples = fromArrays({ inputs, targets: inputs.map(() => 1e4) });
  const failing = trainHead(model, samples, { epochs: 500, optimizer: sgd(), learningRate: 1e3, batchSize: 8 });
  await expect(failing).rejects.toThrow(
    /trainHead: expected a finite loss, got (Infinity|NaN) in epoch \d+ \(learning rate: head 1000\)\..*Try a tenth/,
  );
  await expect(failing).rejects.toMatchObject({ code: 'LOSS_NOT_FINITE' });
  expect(Object.values(weightValues(model)).flat().every(Number.isFinite)).toBe(true);
});

describe('no tensor leaks', () => {
  test('by the verbs', async () => {
    const model = await tinyTransfer();
    const samples = tinySamples();
    await expectNoLeak(() => trainHead(model, samples, { epochs: 2, validation: 0.25 }));
    await expectNoLeak(() => fineTune(model, samples, { unfreeze: 'conv2', epochs: 2 }));
    await expectNoLeak(() => fineTune(model, samples, { unfreeze: 'all', epochs: 1, cache: false }));
    await expectNoLeak(() => evaluate(model, samples));
    await expectNoLeak(() => trainHead(model, samples, { signal: AbortSignal.abort() }));
  });

  test('by building and disposing', async () => {
    await expectNoLeak(async () => {
      const model = await tinyTransfer({ hidden: [4], pooling: 'both' });
      await trainHead(model, tinySamples(), { epochs: 1 });
      model.dispose();
    });
  });

  test('by failures', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    const bad = {
      ...tinySamples(),
      read: (index: number) => ({
        input: new Float32Array(768).fill(index === 20 ? NaN : 1),
        target: 'plain',
        id: `example ${String(index)}`,
      }),
    };
    await expectNoLeak(() =>
      expect(trainHead(model, bad, { batchSize: 4 })).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    await expectNoLeak(() =>
      expect(evaluate(model, bad, { batchSize: 4 })).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    await expectNoLeak(() =>
      expect(fineTune(model, bad, { batchSize: 4, headEpochs: 0 })).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    await expectNoLeak(() =>
      expect(trainHead(model, tinySamples(), { optimizer: sgd(), learningRate: 1e38 })).rejects.toMatchObject({
        code: 'LOSS_NOT_FINITE',
      }),
    );
  });
});

test('a custom head trains and predicts like a built one', async () => {
  const { layers, sequential } = await import('@tensorflow/tfjs-layers');
  const own = sequential({
    layers: [
      layers.globalAveragePooling2d({ inputShape: [4, 4, 12] }),
      layers.dense({ units: 6, activation: 'tanh', name: 'conv1' }),
      layers.dense({ units: 3 }),
    ],
  });
  const { base } = await tinyTransfer();
  const model = replaceHead(base, { labels: ['across', 'along', 'plain'], model: own });
  const before = weightValues(model);
  await trainHead(model, tinySamples(), { epochs: 2 });
  expect(moved(before, weightValues(model))).toHaveLength(4);
  expect(Object.keys(before)).toContain('head_conv1/kernel');
  expect(tf.memory().numTensors).toBeGreaterThan(0);
});
