// Smoothing, mixup, CutMix and losses as options of training: each equal to training on what it makes of the examples.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  focalLoss,
  fromArrays,
  predict,
  trainHead,
  type FineTuneOptions,
  type Samples,
  type Target,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** All weights after training all of them for an epoch by plain steps. */
async function tuned(samples: Samples, options: FineTuneOptions): Promise<number[]> {
  const model = await tinyTransfer({ dropout: 0 });
  const steps = {
    headEpochs: 0,
    optimizer: sgd(),
    schedule: 'constant',
    epochs: 2,
    learningRate: 0.05,
    unfreeze: 'base',
    augment: 'none',
  } as const;
  await fineTune(model, samples, { ...steps, ...options });
  const weights = Object.values(weightValues(model)).flat();
  model.dispose();
  return weights;
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(Math.max(...found.map((value, i) => Math.abs(value - (expected[i] ?? NaN))))).toBeLessThan(2e-6);
}

const pictures = (classes: readonly number[]) => {
  const random = randomGenerator(5);
  return classes.map((label) => tinyPicture(tinyLabels[label] ?? '', random));
};

const sharesOf = (...shares: Readonly<Record<number, number>>[]): Target[] =>
  shares.map((each) => tinyLabels.map((_, label) => each[label] ?? 0));

test('smoothed labels are trained on as shares', async () => {
  const classes = [0, 1, 2, 2, 1];
  const inputs = pictures(classes);
  const smooth = classes.map((own) => tinyLabels.map((_, label) => (label === own ? 0.7 + 0.1 : 0.1)));
  const found = await tuned(fromArrays({ inputs, targets: classes, labels: tinyLabels }), { labelSmoothing: 0.3 });
  expectClose(found, await tuned(fromArrays({ inputs, targets: smooth }), {}));
});

test('mixup trains on blends of pictures and labels', async () => {
  // So large an alpha draws one half, which makes one example of a batch of two, and of the middle one itself.
  const inputs = pictures([0, 1, 2, 0, 1, 2]);
  const targets = sharesOf({ 0: 1 }, { 1: 1 }, { 2: 1 }, { 0: 1 }, { 1: 1 }, { 2: 1 });
  const found = await tuned(fromArrays({ inputs, targets }), { mixup: 1e13, batchSize: 2, epochs: 1, seed: 3 });
  // The order of the examples is the same for others in their place: pairs are told by training on their indexes.
  const order: number[] = [];
  const spied = { ...fromArrays({ inputs, targets }) };
  await tuned(
    { ...spied, read: (index) => (order.push(index), spied.read(index)) },
    { batchSize: 2, epochs: 1, seed: 3 },
  );
  const partner = new Map<number, number>();
  for (let i = 0; i < order.length; i += 2) {
    partner.set(order[i] ?? -1, order[i + 1] ?? -1);
    partner.set(order[i + 1] ?? -1, order[i] ?? -1);
  }
  const other = (i: number) => partner.get(i) ?? i;
  const blended = fromArrays({
    inputs: inputs.map((own, i) => own.map((value, k) => (value + (inputs[other(i)]?.[k] ?? NaN)) / 2)),
    targets: inputs.map((_, i) => {
      const both = [i % 3, other(i) % 3];
      return tinyLabels.map((_, label) => both.filter((each) => each === label).length / 2);
    }),
  });
  expectClose(found, await tuned(blended, { batchSize: 2, epochs: 1, seed: 3 }));
});

describe('CutMix', () => {
  test('learns from pictures, and validation uses unchanged ones', async () => {
    const model = await tinyTransfer();
    const validation = tinySamples(4, 2);
    const mixed = { cutMix: 1, mixup: 0.2, epochs: 3, learningRate: 0.01, unfreeze: 'base', augment: 'none' } as const;
    const log = await expectNoLeak(() =>
      fineTune(model, tinySamples(8), { ...mixed, blend: false, restoreBest: true, validation }),
    );
    const kept = log.epochs.find(({ epoch }) => epoch === log.best?.epoch) ?? log.epochs.at(-1);
    expect((await evaluate(model, validation)).loss).toBeCloseTo(kept?.validationLoss ?? NaN, 5);
    model.dispose();
  });

  test('refuses features, and does not change the model', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    await expectNoLeak(async () => {
      await expect(trainHead(model, tinySamples(4), { cutMix: 1 })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(
          /trainHead: expected pictures or feature maps .* got \[12, 12\]: what enters training/,
        ) as string,
      });
    });
    expect(weightValues(model)).toEqual(before);
    model.dispose();
  });
});

test('validation uses the loss of training, without smoothing', async () => {
  const model = await tinyTransfer({ dropout: 0 });
  const [samples, validation] = [tinySamples(4), tinySamples(3, 2)];
  const options = { loss: focalLoss({ gamma: 1 }), labelSmoothing: 0.2, epochs: 1, validation };
  const { epochs } = await trainHead(model, samples, options);
  let sum = 0;
  for (let i = 0; i < validation.size; i++) {
    const { input, target } = await validation.read(i);
    const p = (await predict(model, input)).find(({ label }) => label === target)?.probability ?? NaN;
    sum -= (1 - p) * Math.log(p);
  }
  expect(epochs[0]?.validationLoss).toBeCloseTo(sum / validation.size, 5);
  model.dispose();
});
