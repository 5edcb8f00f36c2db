// predict: raw input in, labels with probabilities out, the same as running base and head by hand.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  imagePreprocessor,
  loadBase,
  load,
  predict,
  save,
  replaceHead,
  trainHead,
  useBackend,
  type HeadOptions,
  type TaskName,
  type TransferModel,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { randomGenerator } from '../src/core/random.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-predict-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeAll(async () => {
  await useBackend('cpu');
});

const pictures = (count: number, seed = 1): Float32Array[] => {
  const random = randomGenerator(seed);
  return Array.from({ length: count }, (_, i) => tinyPicture(tinyLabels[i % 3] ?? '', random));
};

/** Logits of one input by the trunks themselves. */
function logitsOf({ base, head }: TransferModel, input: Float32Array | tf.Tensor): number[] {
  return tf.tidy(() => {
    const batch = input instanceof tf.Tensor ? tf.expandDims(input, 0) : tf.tensor4d(input, [1, 16, 16, 3]);
    return Array.from(head.trunk.run(base.trunk.run(batch)).dataSync());
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softmax = (logits: readonly number[]) => {
  const total = logits.reduce((sum, each) => sum + Math.exp(each), 0);
  return logits.map((each) => Math.exp(each) / total);
};

test('a head that was never trained is warned about on the console, once for each model, also after it was saved and loaded', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const models = [await tinyTransfer(), await tinyTransfer()];
  for (const model of models) {
    await predict(model, pictures(1));
    await predict(model, pictures(2));
  }
  const saved = fileSystem(join(root, 'untrained'));
  await save(models[0]!, saved);
  models.push(await load(saved, { task: 'classes' }));
  await predict(models[2]!, pictures(1));
  const text =
    /^\[transferkit\] predict: the head on '.*' has never been trained: its predictions are chance\. Call trainHead/;
  expect(warn.mock.calls).toEqual(models.map(() => [expect.stringMatching(text) as string]));
  const trained = await tinyTransfer();
  await trainHead(trained, tinySamples(2), { epochs: 1 });
  await predict(trained, pictures(1));
  expect(warn).toHaveBeenCalledTimes(3);
  warn.mockRestore();
  for (const model of [...models, trained]) model.dispose();
});

describe('every task gives the values of base and head run separately', () => {
  test.each<[TaskName, Partial<HeadOptions>, (logits: number[]) => number[]]>([
    ['classes', { hidden: [5], pooling: 'both' }, softmax],
    ['binary', { labels: ['no', 'yes'] }, ([logit = NaN]) => [1 - sigmoid(logit), sigmoid(logit)]],
    ['multiLabel', {}, (logits) => logits.map(sigmoid)],
    ['regression', { outputs: ['x', 'y'] }, (values) => values],
  ])('%s', async (task, options, toOutputs) => {
    const model: TransferModel = await tinyTransfer({ task, seed: 3, ...options });
    const inputs = pictures(4);
    const predictions = await expectNoLeak(() => predict(model, inputs));
    expect(predictions).toHaveLength(4);
    predictions.forEach((prediction, i) => {
      const expected = toOutputs(logitsOf(model, inputs[i] ?? new Float32Array(768)));
      const found = model.labels.map((name) =>
        prediction.flatMap((each) =>
          'label' in each ? (each.label === name ? [each.probability] : []) : each.output === name ? [each.value] : [],
        ),
      );
      expected.forEach((value, place) => {
        expect(found[place]).toHaveLength(1);
        expect(found[place]?.[0]).toBeCloseTo(value, 6);
      });
    });
  });

  test('probabilities of classes are sorted and sum to 1, those of two classes too', async () => {
    for (const model of [await tinyTransfer(), await tinyTransfer({ task: 'binary', labels: ['no', 'yes'] })]) {
      for (const prediction of await predict(model as TransferModel<'classes'>, pictures(5))) {
        const values = prediction.map(({ probability }) => probability);
        expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
        expect(values).toEqual([...values].sort((a, b) => b - a));
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(new Set(prediction.map(({ label }) => label))).toEqual(new Set(model.labels));
      }
    }
  });

  test('a regression keeps the order of its outputs, and ignores topK', async () => {
    const model = await tinyTransfer({ task: 'regression', outputs: 3 });
    const prediction = await predict(model, pictures(1)[0], { topK: 1 });
    expect(prediction.map(({ output }) => output)).toEqual(['output 1', 'output 2', 'output 3']);
  });

  test('extreme logits give 0 and 1, not NaN', async () => {
    const model = await tinyTransfer();
    for (const weight of model.head.trunk.weights) {
      weight.write(weight.kind === 'bias' ? tf.tensor1d([0, 5000, -5000]) : tf.zeros([...weight.shape]));
    }
    expect(await predict(model, pictures(1)[0])).toEqual([
      { label: 'along', probability: 1 },
      { label: 'across', probability: 0 },
      { label: 'plain', probability: 0 },
    ]);
  });
});

describe('one input or many', () => {
  test('an input gives labels, a list of inputs a list of these, an empty list an empty one', async () => {
    const model = await tinyTransfer();
    const inputs = pictures(3);
    const many = await predict(model, inputs);
    for (const [i, input] of inputs.entries()) expect(await predict(model, input)).toEqual(many[i]);
    expect(await predict(model, [inputs[0]])).toEqual([many[0]]);
    expect(await predict(model, [])).toEqual([]);
  });

  test.each([1, 2, 3, 7, 100])('batches of %d give the same', async (batchSize) => {
    const model = await tinyTransfer();
    const inputs = pictures(7);
    const whole = await predict(model, inputs);
    const parts = await expectNoLeak(() => predict(model, inputs, { batchSize }));
    parts.forEach((prediction, i) => {
      prediction.forEach(({ label, probability }, place) => {
        expect(label).toBe(whole[i]?.[place]?.label);
        expect(probability).toBeCloseTo(whole[i]?.[place]?.probability ?? NaN, 6);
      });
    });
  });

  test('topK limits the number of labels', async () => {
    const model = await tinyTransfer();
    const [input] = pictures(1);
    const all = await predict(model, input);
    expect(await predict(model, input, { topK: 1 })).toEqual(all.slice(0, 1));
    expect(await predict(model, input, { topK: 2 })).toEqual(all.slice(0, 2));
    expect(await predict(model, input, { topK: 99 })).toEqual(all);
  });

  test('dropout is off, and nothing in the model changes', async () => {
    const model = await tinyTransfer({ dropout: 0.9, hidden: [8] });
    const before = weightValues(model);
    const [input] = pictures(1);
    expect(await predict(model, input)).toEqual(await predict(model, input));
    expect([weightValues(model), model.history, model.head.trained]).toEqual([before, [], false]);
  });

  test('a trained model predicts its training labels', async () => {
    const model = await tinyTransfer({ dropout: 0 });
    await trainHead(model, tinySamples(8), { epochs: 30, learningRate: 0.02 });
    const best = (await predict(model, pictures(9), { topK: 1 })).map(([first]) => first?.label);
    expect(best.filter((label, i) => label === tinyLabels[i % 3]).length).toBeGreaterThan(6);
  });
});

describe('tensors', () => {
  test('of the caller stay alive and unchanged', async () => {
    const model = await tinyTransfer();
    const [values = new Float32Array(0)] = pictures(1);
    const input = tf.tensor3d(values, [16, 16, 3]);
    const expected = await predict(model, values);
    expect(await expectNoLeak(() => predict(model, input))).toEqual(expected);
    expect(await expectNoLeak(() => predict(model, [input, input], { batchSize: 1 }))).toEqual([expected, expected]);
    expect(input.isDisposed).toBe(false);
    expect(Array.from(input.dataSync())).toEqual(Array.from(values));
    input.dispose();
  });

  test.each<[string, (good: tf.Tensor) => unknown, string, string | RegExp]>([
    [
      'a batch axis',
      (good) => tf.expandDims(good, 0),
      'WRONG_SHAPE',
      /expected one example of shape \[16, 16, 3\], got \[1, 16, 16, 3\]\. Give one example without the batch axis/,
    ],
    [
      'another type',
      (good) => tf.cast(good, 'int32'),
      'WRONG_DTYPE',
      "expected float32 values, got a tensor of type int32. Convert them: tf.cast(tensor, 'float32')",
    ],
    [
      'NaN',
      () => new Float32Array(768).fill(1).fill(NaN, 5),
      'NOT_FINITE',
      'expected finite values, got NaN at position 5.',
    ],
    ['infinity', (good) => tf.div(good, 0), 'NOT_FINITE', /expected finite values, got -?Infinity at position 0/],
    [
      'too few values',
      () => new Float32Array(5),
      'WRONG_SHAPE',
      'expected 768 values for shape [16, 16, 3], got a flat list of 5 values.',
    ],
    [
      'a path',
      () => 'cat.jpg',
      'WRONG_DTYPE',
      "got the text 'cat.jpg'. If the base takes pictures, tell it how they are scaled: loadBase(source, { preprocess: 'tf' })",
    ],
    ['nothing', () => undefined, 'WRONG_DTYPE', 'got undefined'],
  ])('one invalid input among others, %s, leaks no tensor', async (_, spoil, code, text) => {
    const model = await tinyTransfer();
    const good = tf.tensor3d(pictures(1)[0] ?? [], [16, 16, 3]);
    const bad = spoil(good);
    await expectNoLeak(async () => {
      await expect(predict(model, [good, bad, good])).rejects.toMatchObject({ code });
      await expect(predict(model, [good, bad, good], { batchSize: 1 })).rejects.toThrow(text);
    });
    expect(good.isDisposed).toBe(false);
  });

  test('outputs that are not finite raise an error with the input', async () => {
    const model = await tinyTransfer({}, 'conv1');
    const [good] = pictures(1);
    const inputs = [good, good, new Float32Array(768).fill(3e38)];
    await expectNoLeak(() => expect(predict(model, inputs)).rejects.toMatchObject({ code: 'NOT_FINITE' }));
    await expect(predict(model, inputs, { batchSize: 2 })).rejects.toThrow(
      /predict: expected finite outputs, got (NaN|-?Infinity) for input 2\. Check its preprocessing, and whether training/,
    );
  });
});

describe('pictures in Node', () => {
  let model: TransferModel<'classes'>;
  let path = '';
  beforeAll(async () => {
    const source = tinyModel();
    model = replaceHead(await loadBase(source, { preprocess: 'tf' }), { labels: tinyLabels });
    source.dispose();
    path = join(root, 'stripes.png');
    const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7 + Math.floor(i / 90) * 13) % 256);
    await sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } })
      .png()
      .toFile(path);
  });

  test('a path, its URL and its bytes give the values of preprocessor, base and head run separately', async () => {
    const preprocessor = imagePreprocessor({ mode: 'tf', size: [16, 16] });
    const input = await preprocessor.apply(path);
    const expected = softmax(logitsOf(model, input));
    input.dispose();
    const prediction = await expectNoLeak(() => predict(model, path));
    for (const { label, probability } of prediction) {
      expect(probability).toBeCloseTo(expected[model.labels.indexOf(label)] ?? NaN, 6);
    }
    const url = pathToFileURL(path);
    const bytes = readFileSync(path);
    expect(await predict(model, [url, url.href, new Uint8Array(bytes), new Blob([bytes])])).toEqual(
      new Array(4).fill(prediction),
    );
  });

  test('pixels in arrays and tensors 0..255 are pictures too', async () => {
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    const pixels = { width: info.width, height: info.height, data: new Uint8Array(data) };
    const tensor = tf.tensor3d(Array.from(data), [info.height, info.width, 3], 'int32');
    const expected = await predict(model, path);
    expect(await expectNoLeak(() => predict(model, [pixels, tensor]))).toEqual([expected, expected]);
    tensor.dispose();
  });

  test('a missing and a damaged one are named, and leak no tensor', async () => {
    const missing = join(root, 'none.jpg');
    await expectNoLeak(() => expect(predict(model, [path, missing])).rejects.toMatchObject({ code: 'NOT_FOUND' }));
    await expect(predict(model, missing)).rejects.toThrow(`expected a readable file at ${missing}, but: ENOENT`);
    const broken = join(root, 'broken.png');
    writeFileSync(broken, readFileSync(path).subarray(0, 200));
    await expectNoLeak(() => expect(predict(model, [path, broken])).rejects.toMatchObject({ code: 'UNREADABLE' }));
    await expect(predict(model, broken)).rejects.toThrow(
      /expected a picture \(.*\) in .*broken\.png, but .*Replace or remove it/,
    );
    expect(await predict(model, path)).toHaveLength(3);
  });
});
