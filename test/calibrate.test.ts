// calibrate: the temperature goes into the last layer, and only there.
import { layers, sequential } from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  calibrate,
  evaluate,
  freeze,
  fromArrays,
  load,
  predict,
  replaceHead,
  loadBase,
  save,
  trainHead,
  type Samples,
  type TransferModel,
} from '../src/index.ts';
import { randomGenerator } from '../src/core/random.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Pictures of which every fourth is of another class than it is said to be. */
function mislabelled(labels: readonly string[] = tinyLabels): Samples {
  const random = randomGenerator(9);
  const shown = Array.from({ length: 48 }, (_, i) => i % labels.length);
  return fromArrays({
    inputs: shown.map((label) => tinyPicture(tinyLabels[label] ?? '', random)),
    targets: shown.map((label, i) => labels[i % 4 === 0 ? (label + 1) % labels.length : label] ?? ''),
  });
}

async function trained(): Promise<TransferModel<'classes'>> {
  const model = await tinyTransfer({ dropout: 0 });
  await trainHead(model, tinySamples(8), { epochs: 150, learningRate: 0.1 });
  return model;
}

/** Multiplies what the last layer holds. */
function multiplyLogits({ head }: TransferModel, factor: number): void {
  for (const weight of head.trunk.weights.filter(({ layer }) => layer === 'head_logits')) {
    tf.tidy(() => {
      weight.write(tf.mul(weight.variable, factor));
    });
  }
}

test('an overconfident model becomes less confident, with the same decisions', async () => {
  const model = await trained();
  const samples = mislabelled();
  const before = await evaluate(model, samples);
  const [picture] = await Promise.all([samples.read(5)]);
  const said = await predict(model, picture.input);
  const weights = weightValues(model);
  const found = await expectNoLeak(() => calibrate(model, samples));
  expect(found.temperature).toBeGreaterThan(1);
  expect(found.before.loss).toBeCloseTo(before.loss, 5);
  expect(found.after.loss).toBeLessThan(found.before.loss);
  expect(found.after.expectedCalibrationError).toBeLessThan(found.before.expectedCalibrationError);

  const after = await evaluate(model, samples);
  expect(after.loss).toBeCloseTo(found.after.loss, 5);
  expect(after.confusion).toEqual(before.confusion);
  const [first, second] = said;
  const ratio = Math.log((first?.probability ?? NaN) / (second?.probability ?? NaN));
  const cooled = await predict(model, picture.input);
  expect(Math.log(cooled[0]!.probability / cooled[1]!.probability)).toBeCloseTo(ratio / found.temperature, 4);
  // Nothing but the last layer has moved.
  const now = weightValues(model);
  const moved = Object.keys(now).filter((name) => JSON.stringify(now[name]) !== JSON.stringify(weights[name]));
  expect(moved.sort()).toEqual(['head_logits/bias', 'head_logits/kernel']);
  model.dispose();
});

test('multiplied logits have the factor as temperature, and a calibrated model has 1', async () => {
  const model = await trained();
  const samples = mislabelled();
  await calibrate(model, samples);
  expect((await calibrate(model, samples)).temperature).toBeCloseTo(1, 4);
  multiplyLogits(model, 3);
  expect((await calibrate(model, samples)).temperature).toBeCloseTo(3, 4);
  model.dispose();
});

test('binary, multi-label and several heads are calibrated; a regression among them is unchanged', async () => {
  const binary = await tinyTransfer({ task: 'binary', labels: tinyLabels.slice(0, 2) });
  const two = mislabelled(tinyLabels.slice(0, 2));
  await trainHead(binary, two, { epochs: 20, learningRate: 0.05 });
  await calibrate(binary, two);
  expect((await calibrate(binary, two)).temperature).toBeCloseTo(1, 4);
  binary.dispose();

  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2' });
  source.dispose();
  const model = replaceHead(base, {
    heads: {
      kind: { labels: tinyLabels },
      marks: { task: 'multiLabel', labels: ['striped', 'flat'] },
      size: { task: 'regression' },
    },
  });
  const single = mislabelled();
  const samples = fromArrays({
    inputs: await Promise.all(Array.from({ length: single.size }, async (_, i) => (await single.read(i)).input)),
    targets: Array.from({ length: single.size }, (_, i) => {
      const kind = String(single.target(i));
      return { kind, marks: kind === 'plain' ? ['flat'] : ['striped'], size: i / 10 };
    }),
  });
  await trainHead(model, samples, { epochs: 20, learningRate: 0.05 });
  const sizes = async () => (await evaluate(model, samples)).heads.size.meanSquaredError;
  const before = await sizes();
  const found = await expectNoLeak(() => calibrate(model, samples));
  expect(Object.keys(found)).toEqual(['kind', 'marks']);
  expect(found.kind.temperature).not.toBeCloseTo(found.marks.temperature, 2);
  const again = await calibrate(model, samples);
  expect([again.kind.temperature, again.marks.temperature].map((each) => each.toFixed(3))).toEqual(['1.000', '1.000']);
  expect(await sizes()).toBe(before);
  model.dispose();
});

test('a saved model is calibrated in plain tfjs too', async () => {
  const model = await trained();
  const samples = mislabelled();
  await calibrate(model, samples);
  let artifacts: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler((given) => {
    artifacts = structuredClone(given);
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
  });
  await save(model, handler);
  const again = await load(tf.io.fromMemory(artifacts));
  const { input } = await samples.read(3);
  expect(await predict(again, input)).toEqual(await predict(model, input));
  again.dispose();
  model.dispose();
});

describe('is refused, and the model is unchanged:', () => {
  const refused = async (model: TransferModel, samples: Samples, code: string, text: RegExp) => {
    const before = weightValues(model);
    await expectNoLeak(async () => {
      await expect(calibrate(model, samples)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(text) as string,
      });
    });
    expect(weightValues(model)).toEqual(before);
  };

  test('examples without a wrong prediction', async () => {
    const model = await trained();
    await refused(model, tinySamples(4), 'TOO_FEW_EXAMPLES', /got 12 that are all right, for which every temperature/);
    model.dispose();
  });

  test('a frozen head', async () => {
    const model = await trained();
    freeze(model, 'head');
    await refused(model, mislabelled(), 'NOTHING_TO_TRAIN', /got one that is frozen\. Call unfreeze\(model, 'head'\)/);
    model.dispose();
  });

  test('a regression', async () => {
    const model = await tinyTransfer({ task: 'regression' });
    await refused(
      model,
      fromArrays({ inputs: [0], targets: [1] }),
      'INVALID_OPTION',
      /got 'regression'\. Numbers have no probabilities/,
    );
    model.dispose();
  });

  test('a head whose last layer is not dense', async () => {
    const source = tinyModel();
    const base = await loadBase(source, { cut: 'relu2' });
    source.dispose();
    const head = sequential({
      layers: [
        layers.globalAveragePooling2d({ inputShape: [4, 4, 12], name: 'own_pool' }),
        layers.dense({ units: 3, activation: 'tanh', name: 'own_end' }),
      ],
    });
    const model = replaceHead(base, { labels: tinyLabels, model: head });
    await refused(
      model,
      mislabelled(),
      'UNSUPPORTED_LAYER',
      /without activation and constraint, got 'own_end' \(Dense\)/,
    );
    model.dispose();
  });

  test('no samples of the model’s labels', async () => {
    const model = await trained();
    await refused(model, fromArrays({ inputs: [0], targets: ['dotted'] }), 'UNKNOWN_LABEL', /calibrate: .* dotted/);
    model.dispose();
  });
});
