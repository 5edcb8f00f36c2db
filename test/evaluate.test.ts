// evaluate: its figures against scikit-learn's (golden/metrics.py), and what the verb makes of them.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  evaluate,
  fromArrays,
  predict,
  trainHead,
  useBackend,
  type LabelFigures,
  type LabelPrediction,
  type Progress,
  type Samples,
  type Target,
  type TransferModel,
} from '../src/index.ts';
import type { Judgement } from '../src/measure/measure.ts';
import { labelFigures, regressionFigures } from '../src/model/tasks/metrics.ts';
import { tasks } from '../src/model/tasks/tasks.ts';
import golden from './golden/metrics.json' with { type: 'json' };
import { expectNoLeak } from './support/tensors.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';
import { randomGenerator } from '../src/core/random.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const rows = Array.from({ length: 40 }, (_, i) => i);

/** The values of one row of `wave` in metrics.py. */
function wave(row: number, columns: number, scale: number, phase: number): Float32Array {
  return Float32Array.from({ length: columns }, (_, c) => scale * Math.sin(phase + (row * columns + c) * 1.7));
}

function judge(logits: Float32Array, target: ArrayLike<number>, row: number): Judgement {
  return {
    id: `row ${String(row)}`,
    logits,
    target: Float32Array.from(target),
    loss: row,
    headLosses: [row],
    weight: 1,
  };
}

/** Takes 10 off the last value: that class is never predicted. */
function withoutLast(values: Float32Array): Float32Array {
  return values.map((value, i) => (i === values.length - 1 ? value - 10 : value));
}

function expectFigures(actual: readonly LabelFigures[], expected: readonly Omit<LabelFigures, 'label'>[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach(({ precision, recall, f1, support }, i) => {
    expect(precision).toBeCloseTo(expected[i]?.precision ?? NaN, 12);
    expect(recall).toBeCloseTo(expected[i]?.recall ?? NaN, 12);
    expect(f1).toBeCloseTo(expected[i]?.f1 ?? NaN, 12);
    expect(support).toBe(expected[i]?.support);
  });
}

const wanted = { accuracy: NaN, topK: 1, worst: 5, baselines: undefined };

/** Figures of a head for one of several labels. */
function classFigures(answers: readonly Judgement[], labels: readonly string[], more: object = {}) {
  return tasks.classes.figures({ labels }, answers, { ...wanted, ...more });
}

function topKAccuracy(answers: readonly Judgement[], topK: number): number {
  return classFigures(answers, Array.from(answers[0]?.logits ?? [], String), { topK }).topKAccuracy;
}

describe('figures are those of scikit-learn:', () => {
  const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
  const classes = rows.map((row) => {
    const actual = golden.classes.actual[row] ?? NaN;
    return judge(
      withoutLast(wave(row, 6, 3, 0.4)),
      letters.map((_, i) => (i === actual ? 1 : 0)),
      row,
    );
  });

  test('of one class of several, one without examples and one that is never predicted', () => {
    const { confusion, perLabel: figures } = classFigures(classes, letters);
    expect(confusion).toEqual(golden.classes.confusion);
    const right = classes.map(({ logits, target }) => tasks.classes.correct(logits, target));
    expect(right.filter((share) => share === 1).length / 40).toBe(golden.classes.accuracy);
    expectFigures(figures, golden.classes.perLabel);
    expect(figures.map(({ label }) => label)).toEqual(letters);
    expect(figures[4]).toMatchObject({ recall: 0, f1: 0, support: 0 });
    expect(figures[5]).toMatchObject({ precision: 0, f1: 0 });
  });

  test('top-k accuracy', () => {
    expect([1, 2, 3, 4, 5].map((k) => topKAccuracy(classes, k))).toEqual(golden.classes.topK);
    expect(topKAccuracy(classes, 6)).toBe(1);
  });

  test('of two classes with one logit', () => {
    const judgements = rows.map((row) => judge(wave(row, 1, 2, 0.9), [(row * 7) % 10 < 4 ? 1 : 0], row));
    const figuresAt = (topK: number) =>
      tasks.binary.figures({ labels: ['no', 'yes'] }, judgements, { ...wanted, topK });
    const { confusion, perLabel, topKAccuracy: top1 } = figuresAt(1);
    expect(confusion).toEqual(golden.binary.confusion);
    expectFigures(perLabel, golden.binary.perLabel);
    expect(top1).toBe(golden.binary.accuracy);
    expect(figuresAt(2).topKAccuracy).toBe(1);
  });

  test('of several labels', () => {
    const judgements = rows.map((row) =>
      judge(
        withoutLast(wave(row, 4, 2, 0.1)),
        [0, 1, 2, 3].map((c) => (c !== 2 && (row * (c + 2)) % 5 < 2 ? 1 : 0)),
        row,
      ),
    );
    expectFigures(labelFigures(['a', 'b', 'c', 'd'], judgements), golden.multiLabel.perLabel);
  });

  test('of a regression', () => {
    const scales = [0.2, 1, 3];
    const judgements = rows.map((row) => {
      const actual = wave(row, 3, 2, 1.1);
      const error = wave(row, 3, 1, 0.5).map((value, i) => value * Math.fround(scales[i] ?? 1));
      return judge(
        actual.map((value, i) => value + (error[i] ?? 0)),
        actual,
        row,
      );
    });
    for (const output of [0, 1, 2]) {
      const figures = regressionFigures(judgements, output);
      for (const name of ['meanSquaredError', 'meanAbsoluteError', 'rSquared'] as const) {
        expect(figures[name], name).toBeCloseTo(golden.regression[name][output] ?? NaN, 6);
      }
    }
  });
});

describe('ties and edges', () => {
  test('top 1 is the accuracy, also if all logits are equal', () => {
    const equal = [0, 1, 2].map((actual) =>
      judge(
        new Float32Array(3),
        [0, 1, 2].map((i) => (i === actual ? 1 : 0)),
        actual,
      ),
    );
    expect(topKAccuracy(equal, 1)).toBe(1 / 3);
    expect(topKAccuracy(equal, 2)).toBe(2 / 3);
  });

  test('R² is NaN where all targets are equal', () => {
    const constant = rows.map((row) => judge(Float32Array.of(row), [2], row));
    expect(regressionFigures(constant, 0).rSquared).toBeNaN();
  });

  test('worst mistakes: the wrong ones only, the largest loss first', () => {
    const judgements = [
      { ...judge(Float32Array.of(1, 0), [0, 1], 0), loss: 1 },
      { ...judge(Float32Array.of(1, 0), [1, 0], 1), loss: 9 },
      { ...judge(Float32Array.of(0, 3), [1, 0], 2), loss: 3 },
    ];
    const { worst } = classFigures(judgements, ['a', 'b']);
    expect(worst.map(({ id, actual, predicted, loss }) => [id, actual, predicted, loss])).toEqual([
      ['row 2', 'a', 'b', 3],
      ['row 0', 'b', 'a', 1],
    ]);
    expect(worst[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(3)), 6);
    expect(worst[0]?.predictedProbability).toBeCloseTo(1 / (1 + Math.exp(-3)), 6);
    expect(worst[1]?.predictedProbability).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
    expect(classFigures(judgements, ['a', 'b'], { worst: 1 }).worst).toHaveLength(1);
  });
});

describe('the verb', () => {
  /** Examples of unequal numbers: 2 across, 5 along, 3 plain. */
  function unequal(): { samples: Samples; targets: string[]; inputs: Float32Array[] } {
    const random = randomGenerator(4);
    const targets = tinyLabels.flatMap((label, i) => new Array<string>([2, 5, 3][i] ?? 0).fill(label));
    const inputs = targets.map((label) => tinyPicture(label, random));
    return { samples: fromArrays({ inputs, targets }), targets, inputs };
  }

  /** A head that says one class whatever comes, with logits 2, 1, 0 in turn from it on. */
  async function saying(label: string): Promise<TransferModel<'classes'>> {
    const model = await tinyTransfer();
    const first = tinyLabels.indexOf(label);
    for (const weight of model.head.trunk.weights) {
      const logits = tinyLabels.map((_, i) => 2 - ((i - first + 3) % 3));
      const value = weight.kind === 'bias' ? tf.tensor1d(logits) : tf.zeros([...weight.shape]);
      weight.write(value);
      value.dispose();
    }
    return model;
  }

  test('rows of the confusion matrix are actual classes, columns predicted ones', async () => {
    const { confusion, perLabel, accuracy, labels } = await evaluate(await saying('plain'), unequal().samples);
    expect(labels).toEqual(['across', 'along', 'plain']);
    expect(confusion).toEqual([
      [0, 0, 2],
      [0, 0, 5],
      [0, 0, 3],
    ]);
    expect(accuracy).toBeCloseTo(0.3, 12);
    expect(perLabel).toEqual([
      { label: 'across', precision: 0, recall: 0, f1: 0, support: 2 },
      { label: 'along', precision: 0, recall: 0, f1: 0, support: 5 },
      { label: 'plain', precision: 0.3, recall: 1, f1: 6 / 13, support: 3 },
    ]);
  });

  test('figures with known values: loss, top-k, worst', async () => {
    const model = await saying('plain'); // logits: across 1, along 0, plain 2
    const { loss, topKAccuracy: top2, worst } = await evaluate(model, unequal().samples, { topK: 2, worst: 6 });
    const total = Math.log(Math.E + 1 + Math.exp(2));
    expect(loss).toBeCloseTo(total - (2 * 1 + 5 * 0 + 3 * 2) / 10, 6);
    expect(top2).toBeCloseTo(0.5, 12);
    // The most confident mistakes first: along has the smallest probability.
    expect(worst.map(({ actual }) => actual)).toEqual([...new Array<string>(5).fill('along'), 'across']);
    expect(worst.map(({ predicted }) => predicted)).toEqual(new Array<string>(6).fill('plain'));
    expect(worst[0]).toMatchObject({ id: 'example 2' });
    expect(worst[0]?.probability).toBeCloseTo(Math.exp(-total), 6);
    expect(worst[0]?.loss).toBeCloseTo(total, 6);
    expect((await evaluate(model, unequal().samples)).topKAccuracy).toBe(1);
    expect((await evaluate(model, unequal().samples, { worst: 0 })).worst).toEqual([]);
  });

  test('agrees with predict, in batches of any size', async () => {
    const model = await tinyTransfer();
    await trainHead(model, tinySamples(), { epochs: 2 });
    const { samples, targets, inputs } = unequal();
    const predictions: LabelPrediction[][] = await predict(model, inputs);
    const right = predictions.filter(([best], i) => best?.label === targets[i]).length;
    const whole = await evaluate(model, samples);
    expect(whole.accuracy).toBeCloseTo(right / 10, 12);
    expect(whole.confusion.map((row) => row.reduce((a, b) => a + b))).toEqual([2, 5, 3]);
    const losses = whole.worst.map(({ loss }) => loss);
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    const parts = await evaluate(model, samples, { batchSize: 3 });
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
    expect(parts.confusion).toEqual(whole.confusion);
  });

  test('labels of the samples may be in another order, or fewer', async () => {
    const model = await saying('plain');
    const inputs = [tinyPicture('plain', randomGenerator(1))];
    const { accuracy, confusion } = await evaluate(
      model,
      fromArrays({ inputs, targets: ['plain'], labels: ['plain', 'across'] }),
    );
    expect([accuracy, confusion]).toEqual([
      1,
      [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
      ],
    ]);
  });

  test.each<[string, Target[], object]>([
    ['binary', ['no', 'yes', 'no'], { task: 'binary', labels: ['no', 'yes'] }],
    ['multiLabel', [['a'], ['a', 'b'], []], { task: 'multiLabel', labels: ['a', 'b'] }],
    [
      'regression',
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { task: 'regression', outputs: ['x', 'y'] },
    ],
  ])('%s', async (task, targets, options) => {
    const model: TransferModel = await tinyTransfer(options);
    const inputs = tinyLabels.map((label) => tinyPicture(label, randomGenerator(2)));
    const samples = fromArrays({ inputs, targets });
    const result = await expectNoLeak(() => evaluate(model, samples));
    expect(result).toMatchObject({ task, examples: 3, skipped: [] });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    const outputs = await predict(model, inputs);
    if (result.task === 'regression') {
      const errors = outputs.flatMap((row, i) =>
        row.map((each, o) => ('value' in each ? each.value : NaN) - ((targets[i] as number[])[o] ?? NaN)),
      );
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      expect(result.meanSquaredError).toBeCloseTo(mean(errors.map((error) => error ** 2)), 5);
      expect(result.meanAbsoluteError).toBeCloseTo(mean(errors.map(Math.abs)), 5);
      expect(result.loss).toBeCloseTo(result.meanSquaredError, 5);
      expect(result.perOutput.map(({ output }) => output)).toEqual(['x', 'y']);
    } else {
      const decisions = outputs.flatMap((row, i) => {
        const chosen = row.flatMap((each) => ('label' in each && each.probability > 0.5 ? [each.label] : []));
        return model.labels.map((label) => chosen.includes(label) === [targets[i]].flat(2).includes(label));
      });
      expect(result.accuracy).toBeCloseTo(decisions.filter(Boolean).length / decisions.length, 12);
      expect(result.perLabel.map(({ support }) => support)).toEqual([2, 1]);
    }
  });

  test('skipped examples are listed, and the others are measured', async () => {
    const model = await saying('plain');
    const { samples } = unequal();
    const torn = defineSamples({
      size: samples.size,
      target: (i) => samples.target(i),
      read: (i) => {
        if (i === 3) throw new Error('it is torn');
        return samples.read(i);
      },
      onUnreadable: 'skip',
    });
    const result = await expectNoLeak(() => evaluate(model, torn, { batchSize: 4 }));
    expect(result.skipped).toEqual([{ id: 'example 3', reason: 'it is torn' }]);
    expect(result.examples).toBe(9);
    expect(result.confusion).toEqual([
      [0, 0, 2],
      [0, 0, 4],
      [0, 0, 3],
    ]);
  });

  test('progress runs from 0 to the total', async () => {
    const seen: Progress[] = [];
    await evaluate(await saying('plain'), unequal().samples, { batchSize: 4, onProgress: (each) => seen.push(each) });
    expect(seen.map(({ phase, done, total }) => [phase, done, total])).toEqual([
      ['evaluate', 0, 10],
      ['evaluate', 4, 10],
      ['evaluate', 8, 10],
      ['evaluate', 10, 10],
    ]);
  });

  test('changes nothing in the model', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    await evaluate(model, tinySamples());
    expect([weightValues(model), model.history, model.head.trained]).toEqual([before, [], false]);
  });
});

test('outputs that are not finite raise an error', async () => {
  const model = await tinyTransfer({}, 'conv1');
  const inputs = [1, 3e38, 1].map((value) => new Float32Array(768).fill(value));
  const samples = fromArrays({ inputs, targets: tinyLabels });
  await expectNoLeak(() => expect(evaluate(model, samples)).rejects.toMatchObject({ code: 'NOT_FINITE' }));
  await expect(evaluate(model, samples)).rejects.toThrow(
    /evaluate: expected finite outputs, got .* for example 1\. Check its preprocessing, and whether training/,
  );
});
