// Losses on logits and their gradients against Keras's, PyTorch's, torchvision's and scikit-learn's numbers
// (golden/losses.py), against central differences, and as options; smoothed targets.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { focalLoss, huberLoss, useBackend, type Loss, type LossName, type TaskName } from '../../src/index.ts';
import { assertSmoothing, settleLoss, smoothTargets, weightedMean } from '../../src/losses/losses.ts';
import golden from '../golden/losses.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

const bits = () => tf.tensor2d([1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0], [4, 5]);
const oneHot = () => tf.cast(tf.oneHot(tf.tensor1d([0, 3, 4, 1], 'int32'), 5), 'float32');
const shares = () =>
  tf.tensor2d([0.7, 0.1, 0, 0.2, 0, 0, 0, 0.5, 0.5, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0, 1, 0, 0, 0], [4, 5]);
const numbers = () => wave([4, 5], 2, 1.1);
const large = () => wave([4, 5], 6, 0.2);
const small = () => wave([4, 5], 1.5, 0.9);

interface Case {
  readonly name: string;
  readonly loss?: LossName | Loss;
  readonly task: TaskName;
  readonly logits: () => tf.Tensor;
  readonly targets: () => tf.Tensor;
  readonly expected: { readonly loss: number; readonly gradient?: readonly (readonly number[])[] };
}

const smoothed = (task: TaskName, targets: () => tf.Tensor) => () => smoothTargets(task, targets(), 0.1);
const shared = { logits: large, expected: golden.classes };
const cases: readonly Case[] = [
  { ...shared, name: 'cross-entropy of classes', task: 'classes', targets: oneHot },
  { ...shared, name: 'cross-entropy of shares', task: 'classes', targets: shares, expected: golden.classesOfShares },
  {
    ...shared,
    name: 'smoothed classes',
    task: 'classes',
    targets: smoothed('classes', oneHot),
    expected: golden.classesSmoothed,
  },
  { ...shared, name: 'cross-entropy of labels', task: 'multiLabel', targets: bits, expected: golden.multiLabel },
  {
    ...shared,
    name: 'smoothed labels',
    task: 'multiLabel',
    targets: smoothed('multiLabel', bits),
    expected: golden.multiLabelSmoothed,
  },
  {
    name: 'focal loss of classes',
    loss: 'focal',
    task: 'classes',
    logits: small,
    targets: oneHot,
    expected: golden.focalClasses,
  },
  {
    name: 'focal loss of shares',
    loss: focalLoss({ gamma: 1.5, alpha: 0.25 }),
    task: 'classes',
    logits: small,
    targets: shares,
    expected: golden.focalClassesOfShares,
  },
  {
    ...shared,
    name: 'focal loss of labels',
    loss: 'focal',
    task: 'multiLabel',
    targets: bits,
    expected: golden.torchFocal,
  },
  {
    ...shared,
    name: 'focal loss of labels by a root, labels that apply a quarter',
    loss: focalLoss({ gamma: 0.5, alpha: 0.25 }),
    task: 'multiLabel',
    targets: bits,
    expected: golden.torchFocalAlpha,
  },
  {
    name: 'hinge of classes by Keras',
    loss: 'hinge',
    task: 'classes',
    logits: small,
    targets: oneHot,
    expected: golden.categoricalHinge,
  },
  {
    name: 'hinge of classes by scikit-learn',
    loss: 'hinge',
    task: 'classes',
    logits: small,
    targets: oneHot,
    expected: golden.crammerSinger,
  },
  {
    name: 'hinge of labels',
    loss: 'hinge',
    task: 'multiLabel',
    logits: small,
    targets: bits,
    expected: golden.hingeOfLabels,
  },
  { ...shared, name: 'mean squared error', task: 'regression', targets: numbers, expected: golden.regression },
  {
    ...shared,
    name: 'mean absolute error by Keras',
    loss: 'meanAbsoluteError',
    task: 'regression',
    targets: numbers,
    expected: golden.meanAbsoluteError,
  },
  {
    ...shared,
    name: 'mean absolute error by PyTorch',
    loss: 'meanAbsoluteError',
    task: 'regression',
    targets: numbers,
    expected: golden.torchL1,
  },
  {
    ...shared,
    name: 'Huber loss by Keras',
    loss: huberLoss({ delta: 1.5 }),
    task: 'regression',
    targets: numbers,
    expected: golden.huber,
  },
  {
    ...shared,
    name: 'Huber loss by PyTorch',
    loss: huberLoss({ delta: 0.5 }),
    task: 'regression',
    targets: numbers,
    expected: golden.torchHuber,
  },
];

const meanOf =
  ({ loss, task, targets }: Pick<Case, 'loss' | 'task' | 'targets'>) =>
  (logits: tf.Tensor) =>
    tf.mean<tf.Scalar>(settleLoss(task, loss).losses(logits, targets()));

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test.each(cases)('$name: value and gradient of Keras or PyTorch', (each) => {
    const { value, grad } = tf.valueAndGrad(meanOf(each))(each.logits());
    expect(value.dataSync()[0]).toBeCloseTo(each.expected.loss, 5);
    const expected = each.expected.gradient?.flat() ?? [];
    const found = grad.dataSync();
    expected.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 6);
    });
  });

  test.each(cases)('$name: the gradient is that of central differences', (each) => {
    const step = 1e-2;
    const loss = meanOf(each);
    const grad = tf.grad(loss)(small()).dataSync();
    const values = small().dataSync();
    values.forEach((_, i) => {
      const at = (shift: number) =>
        loss(
          tf.tensor2d(
            values.map((value, k) => (k === i ? value + shift : value)),
            [4, 5],
          ),
        ).dataSync()[0] ?? NaN;
      expect(grad[i]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 2);
    });
  });

  test.each(cases)('$name: creates one tensor', async ({ loss, task, logits, targets }) => {
    const [values, wanted] = [logits(), targets()];
    const settled = settleLoss(task, loss);
    await expectNoLeak(() => settled.losses(values, wanted), 1);
  });

  test('extreme logits give finite losses and gradients', () => {
    const logits = tf.tensor2d([[1000, -1000, 0]]);
    const targets = tf.tensor2d([[0, 1, 0]]);
    for (const task of ['classes', 'multiLabel'] as const) {
      for (const loss of ['crossEntropy', 'focal', 'hinge', focalLoss({ gamma: 0.5 })] as const) {
        const { value, grad } = tf.valueAndGrad(meanOf({ loss, task, targets: () => targets }))(logits);
        expect(value.dataSync()[0]).toBeGreaterThan(100);
        expect(Array.from(grad.dataSync()).every(Number.isFinite)).toBe(true);
      }
    }
    const right = tf.tensor2d([[-200, 200, -200]]);
    const { grad } = tf.valueAndGrad(
      meanOf({ loss: focalLoss({ gamma: 0.5 }), task: 'classes', targets: () => targets }),
    )(right);
    expect(Array.from(grad.dataSync()).every((each) => Math.abs(each) < 1e-3)).toBe(true);
  });

  test('of equal logits only one has the gradient of the rival', () => {
    const grad = tf.grad(meanOf({ loss: 'hinge', task: 'classes', targets: () => tf.tensor2d([[0, 1, 0, 0]]) }));
    expect(Array.from(grad(tf.zeros([1, 4])).dataSync())).toEqual([1, -1, 0, 0]);
  });

  test('exact predictions have gradient 0', () => {
    for (const loss of ['meanAbsoluteError', 'huber', 'meanSquaredError'] as const) {
      const grad = tf.grad(meanOf({ loss, task: 'regression', targets: () => tf.tensor2d([[0, 2]]) }));
      expect(Array.from(grad(tf.tensor2d([[0, 2]])).dataSync()).map(Math.abs)).toEqual([0, 0]);
    }
  });

  test.each(['crossEntropy', 'focal', 'hinge'] as const)('%s is linear in the targets', (loss) => {
    for (const task of ['classes', 'multiLabel'] as const) {
      const settled = settleLoss(task, loss);
      const [one, other] = task === 'classes' ? [oneHot(), shares()] : [bits(), shares()];
      const blended = settled.losses(small(), tf.add(tf.mul(one, 0.3), tf.mul(other, 0.7)));
      const both = tf.add(tf.mul(settled.losses(small(), one), 0.3), tf.mul(settled.losses(small(), other), 0.7));
      expect(tf.max(tf.abs(tf.sub(blended, both))).dataSync()[0]).toBeLessThan(1e-5);
    }
  });
});

describe('as an option', () => {
  test.each([
    ['classes', 'crossEntropy'],
    ['binary', 'crossEntropy'],
    ['multiLabel', 'crossEntropy'],
    ['regression', 'meanSquaredError'],
  ] as const)('%s has %s by default', (task, name) => {
    expect(settleLoss(task).name).toBe(name);
  });

  test.each([
    ['classes', 'huber', /expected a loss for task 'classes', got 'huber', which is for regression/],
    ['regression', focalLoss(), /expected a loss for task 'regression', got 'focal', which is for classes, binary/],
    [
      'classes',
      'crossentropy' as LossName,
      /expected loss to be 'crossEntropy', 'focal', .* or 'huber', got 'crossentropy'/,
    ],
    ['classes', (() => 0) as unknown as Loss, /expected loss to be a name or a loss, such as focalLoss\(\) makes/],
  ] as const)('%s with %o is refused', (task, loss, text) => {
    expect(() => settleLoss(task, loss)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(text) as string }),
    );
  });

  test.each([
    ['gamma', () => focalLoss({ gamma: -1 }), /focalLoss: expected gamma to be a finite number from 0, got -1/],
    ['alpha', () => focalLoss({ alpha: 2 }), /focalLoss: expected alpha to be 0 … 1, got 2/],
    ['text', () => focalLoss({ alpha: '0.5' as never }), /focalLoss: expected alpha to be 0 … 1, got 0\.5/],
    ['delta', () => huberLoss({ delta: 0 }), /huberLoss: expected delta to be a finite number above 0, got 0/],
  ])('%s outside its range is refused', (_, make, text) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(text) as string }),
    );
  });

  test('a custom loss returns a number for each example', () => {
    const total: Loss = { name: 'total', losses: (logits, targets) => tf.sum(tf.sub(logits, targets)) };
    const settled = settleLoss('classes', total);
    expect(() => settled.losses(small(), oneHot())).toThrow(
      expect.objectContaining({
        code: 'WRONG_SHAPE',
        message: expect.stringContaining(
          "expected loss 'total' to give a number for each example, [b], got []",
        ) as string,
      }),
    );
  });
});

test('smoothed targets of every task are new tensors', async () => {
  const targets = tf.tensor2d([[1, 0, 0, 0]]);
  const smooth = (task: TaskName, by: number) =>
    expectNoLeak(() => smoothTargets(task, targets, by), 1).then((made) =>
      Array.from(made.dataSync(), (value) => Number(value.toFixed(6))),
    );
  expect(await smooth('classes', 0.2)).toEqual([0.85, 0.05, 0.05, 0.05]);
  expect(await smooth('multiLabel', 0.2)).toEqual([0.9, 0.1, 0.1, 0.1]);
  expect(await smooth('binary', 0.2)).toEqual([0.9, 0.1, 0.1, 0.1]);
  expect(await smooth('regression', 0.2)).toEqual([1, 0, 0, 0]);
  expect(await smooth('classes', 0)).toEqual([1, 0, 0, 0]);
});

test.each([-0.1, 1, NaN])('smoothing by %s is refused', (smoothing) => {
  expect(() => {
    assertSmoothing('classes', smoothing);
  }).toThrow(/labelSmoothing to be at least 0 and below 1/);
});

test('numbers of a regression are not smoothed', () => {
  expect(() => {
    assertSmoothing('regression', 0.1);
  }).toThrow(/expected labelSmoothing 0 for regression/);
  expect(() => {
    assertSmoothing('regression', 0);
  }).not.toThrow();
});

test('weights count in the mean over all examples', () => {
  expect(weightedMean(tf.tensor1d([1, 2, 3]), tf.tensor1d([1, 0, 2])).dataSync()[0]).toBeCloseTo(7 / 3, 6);
});
