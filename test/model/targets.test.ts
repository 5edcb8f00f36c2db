// Samples whose targets are indexes or shares of labels: checks before training, and training with them.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  fromArrays,
  trainHead,
  type Samples,
  type Target,
  type TransferModel,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** The pictures of `tinySamples`, with targets made of the index of each one's class. */
function samplesBy(targetOf: (label: number) => Target, labels?: readonly string[], each = 4): Samples {
  const random = randomGenerator(1);
  const classes = Array.from({ length: each * tinyLabels.length }, (_, i) => i % tinyLabels.length);
  return fromArrays({
    inputs: classes.map((label) => tinyPicture(tinyLabels[label] ?? '', random)),
    targets: classes.map(targetOf),
    ...(labels === undefined ? {} : { labels }),
  });
}

const oneHot = (label: number) => tinyLabels.map((_, i) => Number(i === label));

async function trained(samples: Samples): Promise<Record<string, number[]>> {
  const model = await tinyTransfer();
  await trainHead(model, samples, { epochs: 2, batchSize: 5 });
  const weights = weightValues(model);
  model.dispose();
  return weights;
}

describe('the same training, bit for bit', () => {
  test.each([
    ['indexes of given labels', samplesBy((label) => label, tinyLabels)],
    ['indexes of labels in another order', samplesBy((label) => 2 - label, [...tinyLabels].reverse())],
    ['indexes alone', samplesBy((label) => label)],
    ['shares of given labels', samplesBy(oneHot, tinyLabels)],
    ['shares alone', samplesBy(oneHot)],
  ])('%s', async (_, samples) => {
    expect(await trained(samples)).toEqual(await trained(tinySamples(4)));
  });
});

test('shares are learnt as shares', async () => {
  const model = await tinyTransfer();
  const blurred = (label: number) => tinyLabels.map((_, i) => (i === label ? 0.6 : 0.2));
  const samples = samplesBy(blurred, tinyLabels, 8);
  await trainHead(model, samples, { epochs: 150, learningRate: 0.1 });
  const { loss, accuracy } = await evaluate(model, samples);
  // No loss can be below the entropy of the targets.
  const entropy = -(0.6 * Math.log(0.6) + 2 * 0.2 * Math.log(0.2));
  expect(loss).toBeGreaterThan(entropy);
  expect(loss).toBeLessThan(entropy + 0.05);
  expect(accuracy).toBe(1);
  model.dispose();
});

test('a head with one logit takes numbers 0 … 1, one with several labels a number for each', async () => {
  const binary = await tinyTransfer({ task: 'binary', labels: ['plain', 'striped'] });
  const one = samplesBy((label) => (label < 2 ? 1 : 0.1));
  await expectNoLeak(() => trainHead(binary, one, { epochs: 1 }));
  expect((await evaluate(binary, one)).confusion[0]?.length).toBe(2);
  binary.dispose();
  const several = await tinyTransfer({ task: 'multiLabel' });
  await trainHead(several, samplesBy(oneHot), { epochs: 1 });
  expect((await evaluate(several, samplesBy(oneHot))).perLabel.map(({ support }) => support)).toEqual([4, 4, 4]);
  several.dispose();
});

describe('refused before training', () => {
  let model: TransferModel<'classes'>;
  beforeAll(async () => {
    model = await tinyTransfer();
  });

  const refused = async (run: () => Promise<unknown>, code: string, text: RegExp) => {
    const before = weightValues(model);
    await expectNoLeak(async () => {
      await expect(run()).rejects.toMatchObject({ code, message: expect.stringMatching(text) as string });
    });
    expect(weightValues(model)).toEqual(before);
    expect(model.history).toEqual([]);
  };

  test('an index outside the labels', () =>
    refused(
      () =>
        trainHead(
          model,
          samplesBy((label) => label + 1),
        ),
      'OUT_OF_RANGE',
      /trainHead: expected a whole number 0 … 2, .* as target of example 2, got 3/,
    ));

  test('shares that do not sum to 1', () =>
    refused(
      () =>
        fineTune(
          model,
          samplesBy((label) => oneHot(label).map((share) => share * 0.9)),
        ),
      'INVALID_OPTION',
      /expected the shares of the labels for example 0 .* sum 0\.9/,
    ));

  test('shares in another order than the head’s', () =>
    refused(
      () => trainHead(model, samplesBy(oneHot, ['along', 'across', 'plain'])),
      'INVALID_OPTION',
      /order of the head's labels \(across, along, plain\), got the order along, across, plain/,
    ));

  test('a label without any share', () =>
    refused(
      () =>
        trainHead(
          model,
          samplesBy((label) => Math.min(label, 1)),
        ),
      'CLASS_WITHOUT_EXAMPLES',
      /got none of plain/,
    ));

  test('fewer examples to validate on than labels', async () => {
    const validation = fromArrays({ inputs: [new Float32Array(768)], targets: ['plain'] });
    for (const verb of [trainHead, fineTune]) {
      await refused(
        () => verb(model, tinySamples(2), { validation }),
        'TOO_FEW_EXAMPLES',
        /at least one example for each of 3 labels, got 1 to validate on\. Hold out more, or none/,
      );
    }
  });
});
