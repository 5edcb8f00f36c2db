// Training with BatchNorm in training mode: what Keras makes of it, and that its statistics go wherever weights go.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fineTune,
  freeze,
  fromArrays,
  fromTensors,
  loadBase,
  replaceHead,
  trainHead,
  unfreeze,
  type CheckpointStore,
  type FineTuneOptions,
  type TransferModel,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { asTested, useTestBackend } from '../support/testBackend.ts';
import { tinyGraph } from '../support/tinyGraph.ts';
import { wave } from '../support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

type Values = Readonly<Record<string, readonly number[]>>;

beforeAll(async () => {
  await useTestBackend();
});

/** Names of the statistics whose values differ. */
function moved(before: Values, after: Values): string[] {
  const names = Object.keys(before).filter((name) => /moving_(mean|variance)$/.test(name));
  return names.filter((name) => !before[name]!.every((value, i) => Object.is(value, after[name]![i])));
}

const both = (layer: string) => [`${layer}/moving_mean`, `${layer}/moving_variance`];

/** Weights after training the tiny network with BatchNorm in training mode, and those of before. */
async function trained(options: FineTuneOptions, prepare: (model: TransferModel) => void = () => undefined) {
  const model = await tinyTransfer({ dropout: 0 });
  model.head.trained = true;
  prepare(model);
  const before = weightValues(model);
  const log = await fineTune(model, tinySamples(), {
    batchNorm: 'train',
    epochs: 1,
    batchSize: 8,
    ...options,
  });
  const after = weightValues(model);
  model.dispose();
  return { before, after, log, moved: moved(before, after) };
}

describe('fineTune gives the values of Keras:', () => {
  interface Case {
    readonly batch: number;
    readonly frozen: readonly string[];
    readonly start: Values;
    readonly losses: readonly number[];
    readonly after: Values;
  }
  const file = readFileSync(new URL('../golden/batchNorm.json', import.meta.url), 'utf8');
  const golden = JSON.parse(file) as Record<string, Case>;

  /** The classifier of golden/batchNorm.py. */
  async function classifier({ start, frozen }: Case): Promise<TransferModel> {
    const source = sequential({
      layers: [
        layers.conv2d({
          name: 'conv1',
          filters: 4,
          kernelSize: 3,
          padding: 'same',
          useBias: false,
          inputShape: [8, 8, 2],
        }),
        layers.batchNormalization({ name: 'bn1', momentum: 0.9 }),
        layers.reLU({ name: 'relu1', maxValue: 6 }),
        layers.conv2d({ name: 'conv2', filters: 5, kernelSize: 3, strides: 2 }),
        layers.batchNormalization({ name: 'bn2', momentum: 0.8 }),
        layers.reLU({ name: 'relu2' }),
        layers.globalAveragePooling2d({ name: 'pool' }),
      ],
    });
    const base = await loadBase(source, { cut: 'pool' });
    source.dispose();
    const model = asTested(replaceHead(base, { labels: ['a', 'b', 'c'], dropout: 0 }));
    unfreeze(model, 'all');
    if (frozen.length > 0) freeze(model, frozen);
    for (const weight of [...base.trunk.weights, ...model.head.trunk.weights]) {
      tf.tidy(() => {
        weight.write(tf.tensor([...start[weight.name]!], [...weight.shape]));
      });
    }
    return model;
  }

  test.each(['fineTune', 'fineTune with a frozen BatchNorm'])('%s', async (name) => {
    const expected = golden[name]!;
    const { batch } = expected;
    const inputs = wave([batch, 8, 8, 2], 1, 0);
    const samples = await fromTensors({ inputs, targets: Array.from({ length: batch }, (_, i) => 'abc'[i % 3]!) });
    await expectNoLeak(async () => {
      const model = await classifier(expected);
      const { epochs } = await fineTune(model, samples, {
        ...{ batchNorm: 'train', headEpochs: 0, epochs: expected.losses.length, batchSize: batch },
        ...{ optimizer: sgd({ momentum: 0 }), schedule: 'constant', learningRate: 0.2 },
      });
      expected.losses.forEach((loss, epoch) => {
        expect(epochs[epoch]!.loss).toBeCloseTo(loss, 5);
      });
      const found = weightValues(model);
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected.after).sort());
      for (const [weight, values] of Object.entries(expected.after)) {
        const distances = values.map((value, i) => Math.abs(value - found[weight]![i]!));
        expect(Math.max(...distances), weight).toBeLessThan(2e-5);
      }
      model.dispose();
    });
    inputs.dispose();
  });
});

describe('statistics change', () => {
  test('of unfrozen layers, and only with the option', async () => {
    const all = [...both('bn1'), ...both('block_1_bn'), ...both('bn2')];
    expect((await trained({ unfreeze: 'base' })).moved).toEqual(all);
    expect((await trained({ unfreeze: 'base', batchNorm: 'inference' })).moved).toEqual([]);
    const part = await trained({ unfreeze: { lastStages: 1 } });
    expect(part.moved).toEqual(both('bn2'));
    const some = await trained({}, (model) => {
      unfreeze(model);
      freeze(model, /^(bn1|bn2)$/);
    });
    expect(some.moved).toEqual(both('block_1_bn'));
  });

  test('from the epoch in which their layer is unfrozen', async () => {
    const unfreezing = [{ epoch: 0, lastStages: 1 }, { epoch: 1, lastStages: 3 }]; // prettier-ignore
    expect((await trained({ unfreeze: unfreezing, epochs: 1 })).moved).toEqual(both('bn2'));
    const { moved: later } = await trained({ unfreeze: unfreezing, epochs: 2 });
    expect(later).toEqual([...both('bn1'), ...both('block_1_bn'), ...both('bn2')]);
  });

  test('of a layer without other weights, so that layers after it are not cached', async () => {
    const source = sequential({
      layers: [
        layers.dense({ name: 'first', units: 6, inputShape: [4], activation: 'relu' }),
        layers.dense({ name: 'second', units: 5 }),
        layers.batchNormalization({ name: 'plain', scale: false, center: false }),
      ],
    });
    const base = await loadBase(source, { cut: 'plain' });
    source.dispose();
    const model = asTested(replaceHead(base, { labels: ['a', 'b'], dropout: 0 }));
    const inputs = Array.from({ length: 8 }, (_, i) => [i, 1, -i, i % 3]);
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => 'ab'[i % 2]!) });
    const before = weightValues(model);
    const options = { unfreeze: 'plain', epochs: 1, headEpochs: 0 };
    const inference = await fineTune(model, samples, options);
    expect(inference.cachedUpTo).toBe('plain');
    expect(moved(before, weightValues(model))).toEqual([]);
    const training = await fineTune(model, samples, { ...options, batchNorm: 'train' });
    expect(training.cachedUpTo).toBe('first');
    expect(moved(before, weightValues(model))).toEqual(both('plain'));
    model.dispose();
  });

  test('of layers of the head; in trainHead only of these', async () => {
    const model = await tinyTransfer();
    const { base } = model;
    const source = sequential({
      layers: [
        layers.globalAveragePooling2d({ inputShape: base.trunk.output.shape.slice(1) }),
        layers.batchNormalization({ name: 'own' }),
        layers.dense({ name: 'logits', units: 3 }),
      ],
    });
    const other = asTested(replaceHead(base, { labels: tinyLabels, model: source }));
    model.head.trunk.dispose();
    unfreeze(other);
    const before = weightValues(other);
    await trainHead(other, tinySamples(), { batchNorm: 'train', epochs: 1 });
    expect(moved(before, weightValues(other))).toEqual(both('own'));
    freeze(other, 'all');
    unfreeze(other, ['bn2', 'logits']);
    const between = weightValues(other);
    await fineTune(other, tinySamples(), { batchNorm: 'train', epochs: 1 });
    expect(moved(between, weightValues(other))).toEqual(both('bn2'));
    other.dispose();
  });

  test('of the nodes of a GraphModel', async () => {
    const model = replaceHead(await loadBase(tinyGraph()), { labels: ['a', 'b'], dropout: 0 });
    const inputs = wave([6, 8, 8, 3], 0.5, 0, 0.5);
    const samples = await fromTensors({ inputs, targets: ['a', 'b', 'a', 'b', 'a', 'b'] });
    const before = weightValues(model);
    await expectNoLeak(() =>
      fineTune(model, samples, { batchNorm: 'train', unfreeze: 'base', epochs: 1, headEpochs: 0 }),
    );
    expect(moved(before, weightValues(model))).toEqual(both('bn1'));
    inputs.dispose();
    model.dispose();
  });

  test('with every batch, also between two steps', async () => {
    const still = { learningRate: 1e-30, schedule: 'constant', seed: 3, unfreeze: 'base', augment: 'none' } as const;
    const [every, third] = [await trained(still), await trained({ ...still, gradientAccumulationSteps: 3 })];
    for (const name of third.moved) expect(every.after[name]).toEqual(third.after[name]);
    expect(third.moved).toHaveLength(6);
  });
});

describe('statistics are handled like weights', () => {
  const wild = {
    learningRate: 0.3,
    schedule: 'constant',
    optimizer: sgd({ momentum: 0.9 }),
    batchNorm: 'train',
  } as const;

  test('they are restored to those of the best epoch', async () => {
    // The better the network gets, the worse it does on wrong labels.
    const random = randomGenerator(2);
    const inputs = [...tinyLabels, ...tinyLabels].map((label) => tinyPicture(label, random));
    const validation = fromArrays({ inputs, targets: inputs.map((_, i) => tinyLabels[(i + 1) % 3]!) });
    // A head that was never trained is none to go back to.
    const more = { ...wild, headEpochs: 0, validation };
    const untrained = (model: TransferModel) => {
      model.head.trained = false;
    };
    const { after, log } = await trained({ ...more, epochs: 3 }, untrained);
    expect(log.best).toMatchObject({ epoch: 0, restored: true });
    expect(after).toEqual((await trained({ ...more, epochs: 1 }, untrained)).after);
  });

  test('they are restored to those from the start of a failed epoch', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const fails = () => {
      if (moved(before, weightValues(model)).length > 0) throw new Error('no more');
    };
    await expectNoLeak(async () => {
      const options = { ...wild, headEpochs: 0, batchSize: 8, onProgress: fails };
      await expect(fineTune(model, tinySamples(), options)).rejects.toThrow('no more');
    });
    expect(weightValues(model)).toEqual(before);
    model.dispose();
  });

  test('they are restored to those of the last finite loss', async () => {
    const model = await tinyTransfer();
    const options = { ...wild, learningRate: 1e30, headEpochs: 0, epochs: 3 };
    await expect(fineTune(model, tinySamples(), options)).rejects.toMatchObject({ code: 'LOSS_NOT_FINITE' });
    expect(Object.values(weightValues(model)).flat().every(Number.isFinite)).toBe(true);
    model.dispose();
  });

  test('they are part of checkpoints, and resumed bit for bit', async () => {
    const files = new Map<string, Uint8Array>();
    const to: CheckpointStore = {
      list: async () => [...files.keys()],
      read: async (name) => files.get(name)!,
      write: async (name, bytes) => void files.set(name, bytes),
      remove: async (name) => void files.delete(name),
    };
    const options = { ...wild, learningRate: 0.05, epochs: 3, checkpoint: { to, every: { steps: 1 } } };
    const whole = await trained(options);
    files.clear();
    const controller = new AbortController();
    let batches = 0;
    const onProgress = () => {
      if (++batches === 5) controller.abort();
    };
    const stops = { signal: controller.signal, onProgress };
    const { after, log } = await trained({ ...options, ...stops });
    expect(log.stoppedBy).toBe('signal');
    expect(after).not.toEqual(whole.after);
    expect((await trained({ ...options, resume: true })).after).toEqual(whole.after);
  });
});

test.each(['training', true, 1])('the value %o is refused, and the model is unchanged', async (batchNorm) => {
  const model = await tinyTransfer();
  const before = weightValues(model);
  const options = { batchNorm: batchNorm as 'train' };
  const expected = `fineTune: expected batchNorm to be 'inference' or 'train', got ${typeof batchNorm === 'string' ? `'${batchNorm}'` : String(batchNorm)}.`;
  await expect(fineTune(model, tinySamples(), options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  await expect(fineTune(model, tinySamples(), options)).rejects.toThrow(expected);
  expect(weightValues(model)).toEqual(before);
  model.dispose();
});

test('a given momentum applies to all layers', async () => {
  const moving = async (momentum: number) => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const samples = tinySamples();
    await fineTune(model, samples, {
      headEpochs: 0,
      unfreeze: 'base',
      epochs: 1,
      batchSize: 24,
      batchNorm: { momentum },
    });
    const after = weightValues(model);
    model.dispose();
    const name = Object.keys(after).find((each) => each.endsWith('moving_mean')) ?? '';
    return { before: before[name] ?? [], after: after[name] ?? [] };
  };
  const none = await moving(0);
  const half = await moving(0.5);
  expect(half.after).not.toEqual(half.before);
  half.after.forEach((value, i) => {
    expect(value).toBeCloseTo(((half.before[i] ?? 0) + (none.after[i] ?? 0)) / 2, 5);
  });
  const model = await tinyTransfer();
  await expect(fineTune(model, tinySamples(), { batchNorm: { momentum: 1 } })).rejects.toThrow(
    'fineTune: expected batchNorm.momentum to be at least 0 and below 1, got 1.',
  );
  model.dispose();
});
