// Losses on logits and their gradients against Keras's numbers (golden/losses.py).
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { taskRules } from '../../src/train/losses.ts';
import golden from '../golden/losses.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

const bits = [1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0];
const targets = {
  classes: () => tf.cast(tf.oneHot(tf.tensor1d([0, 3, 4, 1], 'int32'), 5), 'float32'),
  multiLabel: () => tf.tensor2d(bits, [4, 5]),
  regression: () => wave([4, 5], 2, 1.1),
};

describe.each(['classes', 'multiLabel', 'regression'] as const)('%s', (task) => {
  test('loss and gradient equal Keras', () => {
    const { value, grad } = tf.valueAndGrad((logits: tf.Tensor) =>
      tf.mean<tf.Scalar>(taskRules[task].losses(logits, targets[task]())),
    )(wave([4, 5], 6, 0.2));
    expect(value.dataSync()[0]).toBeCloseTo(golden[task].loss, 5);
    const expected = golden[task].gradient.flat();
    grad.dataSync().forEach((each, i) => {
      expect(each).toBeCloseTo(expected[i] ?? NaN, 6);
    });
  });

  test('the loss of single rows has the same mean', () => {
    const logits = wave([4, 5], 6, 0.2).dataSync() as Float32Array;
    const wanted = targets[task]().dataSync() as Float32Array;
    const rows = [0, 1, 2, 3].map((row) =>
      taskRules[task].rowLoss(logits.slice(row * 5, row * 5 + 5), wanted.slice(row * 5, row * 5 + 5)),
    );
    expect(rows.reduce((a, b) => a + b) / 4).toBeCloseTo(golden[task].loss, 5);
  });

  test('leaves one tensor', async () => {
    const [logits, wanted] = [wave([4, 5], 6, 0.2), targets[task]()];
    await expectNoLeak(() => taskRules[task].losses(logits, wanted), 1);
  });
});

test('large logits overflow nowhere', () => {
  const logits = tf.tensor2d([[1000, -1000]]);
  expect(taskRules.classes.losses(logits, tf.tensor2d([[0, 1]])).dataSync()[0]).toBeCloseTo(2000, 1);
  expect(taskRules.multiLabel.losses(logits, tf.tensor2d([[0, 1]])).dataSync()[0]).toBeCloseTo(1000, 1);
  expect(taskRules.classes.outputs(Float32Array.of(1000, -1000))).toEqual([1, 0]);
});

test('a binary head is decided at logit 0, where the probability is one half', () => {
  expect(taskRules.binary.outputs(Float32Array.of(0))).toEqual([0.5, 0.5]);
  expect(taskRules.binary.correct(Float32Array.of(0.3), Float32Array.of(1))).toBe(1);
  expect(taskRules.binary.correct(Float32Array.of(0.3), Float32Array.of(0))).toBe(0);
});
