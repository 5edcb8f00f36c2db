// What a run cannot do is said before anything has moved; what goes wrong later leaves a model that says what it is.
import * as tf from '@tensorflow/tfjs-core';
import { constraints, initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  findLearningRate,
  fineTune,
  fromArrays,
  loadBase,
  replaceHead,
  trainHead,
  type AdaptiveSchedule,
  type FineTuneOptions,
  type TransferModel,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { cosine, warmUp, plateau } from '../../src/schedules.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';
import { tinyModel } from '../support/tinyModel.ts';

beforeAll(useTestBackend);

/** All that a refusal must not touch. */
const stateOf = (model: TransferModel) => ({
  weights: weightValues(model),
  frozen: [...model.base.trunk.weights, ...model.head.trunk.weights].map(({ frozen }) => frozen),
  trained: model.head.trained,
  history: model.history,
  tensors: tf.memory().numTensors,
});

describe('fineTune refuses before it trains the head', () => {
  test.each<[string, FineTuneOptions, RegExp]>([
    ['a warm-up longer than the run', { schedule: warmUp(cosine(), { steps: 1000 }) }, /1000 steps of warm-up/],
    ['a schedule that gives no number', { schedule: () => NaN }, /finite number from 0 for step 0/],
    [
      'rates without one for the base',
      { learningRate: { head: 1e-3 } } as unknown as FineTuneOptions,
      /learningRate\.base/,
    ],
    ['a decay that is no number', { layerDecay: '0.5' } as unknown as FineTuneOptions, /layerDecay to be above 0/],
    [
      'half an optimizer',
      { optimizer: { init: 1, update: 2 } } as unknown as FineTuneOptions,
      /optimizer to be 'adam'/,
    ],
    [
      'a schedule that follows a figure there is none of',
      { schedule: plateau({ monitor: 'validationLoss' }) },
      /validationLoss/,
    ],
    ['the same behind a warm-up', { schedule: warmUp(plateau({ monitor: 'validationLoss' })) }, /validationLoss/],
  ])('%s', async (_, options, message) => {
    const model = await tinyTransfer();
    const before = stateOf(model);
    await expect(fineTune(model, tinySamples(), { epochs: 2, ...options })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(message) as unknown,
    });
    expect(stateOf(model)).toEqual(before);
    model.dispose();
  });

  test('a figure that the task does not have', async () => {
    const model = await tinyTransfer({ task: 'regression' });
    const random = randomGenerator(1);
    const samples = fromArrays({ inputs: tinyLabels.map((label) => tinyPicture(label, random)), targets: [1, 2, 3] });
    const before = stateOf(model);
    const options = { epochs: 4, monitor: 'accuracy', earlyStopping: 1 } as const;
    await expect(trainHead(model, samples, options)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/monitor.*accuracy/) as unknown,
    });
    expect(stateOf(model)).toEqual(before);
    model.dispose();
  });
});

test('a head whose first step gave infinite weights is restored and counts as untrained', async () => {
  const model = await tinyTransfer({ task: 'regression' });
  const before = weightValues(model);
  const random = randomGenerator(1);
  const inputs = Array.from({ length: 8 }, () => tinyPicture('plain', random));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => i * 1e10) });
  const options = { epochs: 1, batchSize: 2, optimizer: sgd(), learningRate: 1e20 };
  await expect(trainHead(model, samples, options)).rejects.toMatchObject({ code: 'LOSS_NOT_FINITE' });
  expect(weightValues(model)).toEqual(before);
  expect(model.head.trained).toBe(false);
  model.dispose();
});

describe('weights that violate their constraint', () => {
  async function constrained() {
    const source = tinyModel();
    const base = await loadBase(source, { cut: 'relu2' });
    source.dispose();
    const own = sequential();
    own.add(layers.globalAveragePooling2d({ inputShape: [4, 4, 12], name: 'own_pooling', dataFormat: 'channelsLast' }));
    own.add(
      layers.dense({
        units: 3,
        name: 'own',
        kernelInitializer: initializers.glorotUniform({ seed: 4 }),
        kernelConstraint: constraints.unitNorm({ axis: 0 }),
      }),
    );
    return replaceHead(base, { labels: tinyLabels, model: own });
  }

  test('findLearningRate does not change them', async () => {
    const model = await constrained();
    const before = weightValues(model);
    await findLearningRate(model, tinySamples(), { steps: 12 });
    expect(weightValues(model)).toEqual(before);
    model.dispose();
  });

  test("averages with keep: 'weights' do not change them", async () => {
    const options = { epochs: 3, batchSize: 4, validation: tinySamples(2, 5), restoreBest: false } as const;
    const plain = await constrained();
    await trainHead(plain, tinySamples(), options);
    const averaged = await constrained();
    await trainHead(averaged, tinySamples(), { ...options, ema: { decay: 0.9, keep: 'weights' } });
    expect(weightValues(averaged)).toEqual(weightValues(plain));
    plain.dispose();
    averaged.dispose();
  });
});

test('a warm-up can precede a schedule that is an instance of a class', async () => {
  class Halving implements AdaptiveSchedule {
    readonly name = 'halving';
    readonly init = [1];
    private readonly share = 0.5;
    factor([now = 1]: readonly number[]): number {
      return now;
    }
    afterEpoch([now = 1]: readonly number[]): readonly number[] {
      return [now * this.share];
    }
  }
  const model = await tinyTransfer();
  const schedule = warmUp(new Halving(), { steps: 1 });
  const log = await trainHead(model, tinySamples(), { epochs: 3, schedule, learningRate: 1 });
  expect(log.epochs.map(({ learningRate }) => learningRate?.head)).toEqual([0.01, 0.5, 0.25]);
  model.dispose();
});
