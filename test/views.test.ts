// Views of predict and evaluate: means over changed inputs, compared with predictions for inputs that the test changes.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  evaluate,
  fromArrays,
  knn,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  type EvaluateOptions,
  type HeadOptions,
  type PredictOptions,
  type RankingOptions,
} from '../src/index.ts';
import { flip, noise } from '../src/augment.ts';
import { randomGenerator } from '../src/core/random.ts';
import { augmentPictures } from '../src/data/augment/augmentPictures.ts';
import { fixedViews } from '../src/data/augment/fixedViews.ts';
import { ofMeanSigmoid, ofMeanSoftmax } from '../src/model/tasks/meanLogits.ts';
import { pictureBase } from './support/exampleBases.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer } from './support/tinyTask.ts';
import { vectorModel } from './support/vectorModel.ts';

beforeAll(async () => {
  await useTestBackend();
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

const pictures = (count: number): Float32Array[] => {
  const random = randomGenerator(3);
  return Array.from({ length: count }, (_, i) => tinyPicture(tinyLabels[i % 3] ?? '', random));
};

/** The picture [16, 16, 3] with left and right, or top and bottom, swapped. */
function mirrored(picture: Float32Array, vertical = false): Float32Array {
  return picture.map((_, i) => {
    const [row, column] = [Math.floor(i / 48), Math.floor((i % 48) / 3)];
    const from = vertical ? (15 - row) * 48 + column * 3 : row * 48 + (15 - column) * 3;
    return picture[from + (i % 3)] ?? NaN;
  });
}

type Answer = readonly { label?: string; output?: string; probability?: number; value?: number }[];

/** Probabilities and values by name. */
const byName = (answer: Answer): Record<string, number> =>
  Object.fromEntries(answer.map((each) => [each.label ?? each.output ?? '', each.probability ?? each.value ?? NaN]));

/** The mean of several answers. */
function meanOf(answers: readonly Answer[]): Record<string, number> {
  const all = answers.map(byName);
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, all.reduce((sum, each) => sum + (each[name] ?? NaN), 0) / all.length]),
  );
}

function expectClose(answer: Answer, expected: Record<string, number>): void {
  const received = byName(answer);
  expect(Object.keys(received).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) expect(received[name]).toBeCloseTo(value, 5);
}

describe('predict with views', () => {
  test.each<Partial<HeadOptions>>([
    { task: 'classes' },
    { task: 'binary', labels: ['no', 'yes'] },
    { task: 'multiLabel' },
    { task: 'regression', outputs: ['width', 'height'] },
  ])('gives the mean over picture and mirror image: $task', async (options) => {
    const model = await tinyTransfer(options);
    const [picture = new Float32Array(0)] = pictures(1);
    const [own, other] = [await predict(model, picture), await predict(model, mirrored(picture))];
    expect(byName(own)).not.toEqual(byName(other));
    const received = await expectNoLeak(() => predict(model, picture, { views: 2 }));
    expectClose(received, meanOf([own, other]));
    model.dispose();
  });

  test('averages the decisions of an ordinal head one by one', async () => {
    const model = await tinyTransfer({ task: 'ordinal', labels: tinyLabels });
    const [picture = new Float32Array(0)] = pictures(1);
    const both = meanOf([await predict(model, picture), await predict(model, mirrored(picture))]);
    // The probabilities of labels are differences of those decisions, so the means agree unless decisions contradict.
    expectClose(await predict(model, picture, { views: 2 }), both);
    model.dispose();
  });

  test('averages each of several heads by itself', async () => {
    const model = replaceHead(await pictureBase(), {
      heads: { kind: { labels: tinyLabels }, light: { task: 'regression', outputs: ['mean'] } },
    });
    const [picture = new Float32Array(0)] = pictures(1);
    const [own, other] = [await predict(model, picture), await predict(model, mirrored(picture))];
    const { kind, light } = await predict(model, picture, { views: 2 });
    expectClose(kind, meanOf([own.kind, other.kind]));
    expectClose(light, meanOf([own.light, other.light]));
    model.dispose();
  });

  test('does not depend on the other inputs, on batches or on the call', async () => {
    const model = await tinyTransfer();
    const inputs = pictures(5);
    for (const options of [{ views: 4 }, { views: 4, augment: 'light' }] satisfies PredictOptions[]) {
      const together = await predict(model, inputs, options);
      const inParts = await predict(model, inputs, { ...options, batchSize: 2 });
      for (const [place, input] of inputs.entries()) {
        const alone = byName(await predict(model, input, options));
        expectClose(together[place] ?? [], alone);
        expectClose(inParts[place] ?? [], alone);
      }
      expect(await predict(model, inputs, options)).toEqual(together);
    }
    expect(await predict(model, inputs, { views: 1 })).toEqual(await predict(model, inputs));
    expect(await predict(model, inputs, { views: 1, augment: 'light' })).toEqual(await predict(model, inputs));
    expect(await predict(model, [], { views: 3 })).toEqual([]);
    model.dispose();
  });

  test('takes operations for the views after the first', async () => {
    const model = await tinyTransfer();
    const [picture = new Float32Array(0)] = pictures(1);
    const augment = [flip({ direction: 'vertical', probability: 1 })];
    const both = meanOf([await predict(model, picture), await predict(model, mirrored(picture, true))]);
    expectClose(await expectNoLeak(() => predict(model, picture, { views: 2, augment })), both);
    // Three views of which two are the same.
    const [own, other] = [await predict(model, picture), await predict(model, mirrored(picture, true))];
    expectClose(await predict(model, picture, { views: 3, augment }), meanOf([own, other, other]));
    model.dispose();
  });

  test('takes a function for inputs that are not pictures, and frees what it gives', async () => {
    const model = await vectorModel(4, { labels: tinyLabels });
    const input = Float32Array.of(1, -2, 0.5, 3);
    const augment = { apply: (given: tf.Tensor, _seed: number) => tf.mul(given, 2) };
    const both = meanOf([
      await predict(model, input),
      await predict(
        model,
        input.map((value) => value * 2),
      ),
    ]);
    expectClose(await expectNoLeak(() => predict(model, input, { views: 2, augment })), both);
    const seeds: number[] = [];
    const noting = (given: tf.Tensor, seed: number) => {
      seeds.push(seed);
      return given;
    };
    await expectNoLeak(() => predict(model, [input, input], { views: 3, augment: { apply: noting } }));
    expect(seeds).toHaveLength(4);
    expect([seeds[0], seeds[2]]).toEqual([seeds[1], seeds[3]]);
    expect(seeds[0]).not.toBe(seeds[2]);
    model.dispose();
  });

  test('decides by the mean probability and the tuned threshold', async () => {
    const model = await vectorModel(1, { task: 'binary', labels: ['no', 'yes'] });
    for (const weight of model.head.trunk.weights)
      weight.write(tf.fill([...weight.shape], weight.kind === 'kernel' ? 1 : 0));
    const augment = { apply: (given: tf.Tensor) => tf.sub(given, 8) };
    // Logits 3 and -5: the mean logit is below 0, and the mean probability 0.48 too; of 5 and -3 it is 0.52.
    const answer = await predict(model, Float32Array.of(5), { views: 2, augment });
    expect(answer[0]).toMatchObject({ label: 'yes', chosen: true });
    expect(answer[0]?.probability).toBeCloseTo((1 / (1 + Math.exp(-5)) + 1 / (1 + Math.exp(3))) / 2, 6);
    model.dispose();
  });
});

describe('evaluate with views', () => {
  test('measures the mean: loss, accuracy, and every other figure', async () => {
    const model = await tinyTransfer();
    const samples = tinySamples(3);
    await trainHead(model, tinySamples(4, 9));
    const plain = await evaluate(model, samples);
    const viewed = await expectNoLeak(() => evaluate(model, samples, { views: 2, batchSize: 4 }));
    let [loss, right] = [0, 0];
    for (let i = 0; i < samples.size; i++) {
      const { input, target } = await samples.read(i);
      const picture = input as Float32Array;
      const both = meanOf([await predict(model, picture), await predict(model, mirrored(picture))]);
      loss -= Math.log(both[target as string] ?? NaN) / samples.size;
      const [best] = Object.entries(both).sort(([, a], [, b]) => b - a);
      right += Number(best?.[0] === target) / samples.size;
    }
    expect(viewed.loss).toBeCloseTo(loss, 5);
    expect(viewed.accuracy).toBeCloseTo(right, 6);
    expect(viewed.loss).not.toBeCloseTo(plain.loss, 6);
    expect((await evaluate(model, samples, { views: 1 })).loss).toBe(plain.loss);
    model.dispose();
  });

  test('gives baselines the examples as they are', async () => {
    const model = await tinyTransfer();
    const [samples, baselines] = [tinySamples(3), tinySamples(4, 9)];
    const { baselines: plain } = await evaluate(model, samples, { baselines });
    const viewed = await expectNoLeak(() => evaluate(model, samples, { baselines, views: 2 }));
    expect(viewed.baselines).toEqual(plain);
    expect(viewed.loss).toBe((await evaluate(model, samples, { views: 2 })).loss);
    model.dispose();
  });

  test('reports outputs that are not finite in one view', async () => {
    const model = await vectorModel(1, { task: 'binary', labels: ['no', 'yes'] });
    for (const weight of model.head.trunk.weights)
      weight.write(tf.fill([...weight.shape], weight.kind === 'kernel' ? 1e20 : 0));
    const samples = fromArrays({ inputs: [[1]], targets: ['yes'], labels: ['no', 'yes'] });
    const augment = { apply: (given: tf.Tensor) => tf.mul(given, 1e30) };
    await expectNoLeak(() =>
      expect(evaluate(model, samples, { views: 2, augment })).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    await expect(predict(model, Float32Array.of(1), { views: 2, augment })).rejects.toMatchObject({
      code: 'NOT_FINITE',
    });
    model.dispose();
  });
});

describe('the fixed views', () => {
  test('are whole picture, centre and corners of 7/8, each with its mirror image', async () => {
    const base = await pictureBase();
    // Red rises to the right, green rises to the bottom: the mean of a view says where it lies.
    const values = Float32Array.from(
      { length: 16 * 16 * 3 },
      (_, i) => [Math.floor((i % 48) / 3), Math.floor(i / 48), 0][i % 3] ?? 0,
    );
    const picture = tf.tensor4d(values, [1, 16, 16, 3]);
    const found = fixedViews(base, 12).map((view) => {
      const changed = augmentPictures(view, picture, [0]);
      const [x = NaN, y = NaN] = tf.tidy(() => tf.mean(changed, [0, 1, 2]).dataSync());
      const [left = NaN] = tf.tidy(() => tf.slice(changed, [0, 8, 0, 0], [1, 1, 1, 1]).dataSync());
      changed.dispose();
      return [x, y, left > x ? 'mirrored' : 'plain'] as const;
    });
    const at = (x: number, y: number) => [
      [7.5 + x, 7.5 + y, 'plain'],
      [7.5 + x, 7.5 + y, 'mirrored'],
    ];
    const expected = [...at(0, 0), ...at(0, 0), ...at(-1, -1), ...at(1, -1), ...at(-1, 1), ...at(1, 1)].slice(1);
    expect(found.map(([x, y, side]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100, side])).toEqual(expected);
    picture.dispose();
    base.dispose();
  });
});

describe('logits of means', () => {
  test('are exact where probabilities underflow', () => {
    const runs = [Float32Array.of(0, 1000, 2000), Float32Array.of(0, 1000, 2000)];
    expect(ofMeanSoftmax(runs)).toEqual([-2000, -1000, 0]);
    expect(ofMeanSigmoid([Float32Array.of(800, -800), Float32Array.of(800, -800)])).toEqual([800, -800]);
    const [even = NaN] = ofMeanSigmoid([Float32Array.of(50), Float32Array.of(-50)]);
    expect(even).toBeCloseTo(0, 12);
  });
});

describe('refused:', () => {
  test.each<[string, object, string]>([
    ['none', { views: 0 }, 'expected views to be a whole number from 1, got 0'],
    ['half a view', { views: 1.5 }, 'expected views to be a whole number from 1, got 1.5'],
    ['NaN', { views: NaN }, 'expected views to be a whole number from 1, got NaN'],
    ['text', { views: '2' }, 'expected views to be a whole number from 1'],
    ['more than there are', { views: 13 }, 'expected views up to 12, or augment beside them, got 13'],
    ['augment without views', { augment: 'light' }, 'expected views beside augment'],
    ['changes that change nothing', { views: 2, augment: 'none' }, 'expected augment that changes the views'],
    ['an unknown preset', { views: 2, augment: 'lightly' }, "got 'lightly'"],
    ['views that training has', { views: 'fresh', augment: 'light' }, 'expected views to be a whole number from 1'],
  ])('%s', async (_, options, text) => {
    const model = await tinyTransfer();
    const error = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(text) as string,
    }) as Error;
    await expectNoLeak(async () => {
      await expect(predict(model, pictures(1)[0], options as PredictOptions)).rejects.toThrow(error);
      await expect(evaluate(model, tinySamples(1), options as EvaluateOptions)).rejects.toThrow(error);
    });
    model.dispose();
  });

  test('views of inputs that are not pictures, without a function', async () => {
    const model = await vectorModel(4, { labels: tinyLabels });
    const input = Float32Array.of(1, 2, 3, 4);
    for (const options of [{ views: 2 }, { views: 2, augment: 'light' }] satisfies PredictOptions[]) {
      await expect(predict(model, input, options)).rejects.toThrow(
        /expected a base that takes pictures .* Give a function of your own/,
      );
    }
    model.dispose();
  });

  test('operations on colours where black and white are unknown; the fixed views need neither', async () => {
    const source = tinyModel();
    const model = replaceHead(await loadBase(source, { cut: 'relu2' }), { labels: tinyLabels });
    source.dispose();
    await expect(predict(model, pictures(1)[0], { views: 2, augment: [noise()] })).rejects.toThrow(
      /known range for noise/,
    );
    expect(await predict(model, pictures(1)[0], { views: 12 })).toHaveLength(3);
    model.dispose();
  });

  test('by classifiers that keep examples, which have no views', async () => {
    const base = await pictureBase();
    const classifier = await knn(base);
    await classifier.add(pictures(1)[0], 'across');
    const options = { views: 2 } as RankingOptions;
    await expect(classifier.predict(pictures(1)[0], options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    classifier.dispose();
    base.dispose();
  });
});
