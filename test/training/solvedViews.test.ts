// Heads that are solved for on examples and augmented views of them.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import {
  fromArrays,
  trainHead,
  type Augmentation,
  type TrainHeadOptions,
  type TransferModel,
} from '../../src/index.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { vectorModel } from '../support/vectorModel.ts';

beforeAll(async () => {
  await useTestBackend();
});

const labels = ['a', 'b', 'c'];
const rows = Array.from({ length: 30 }, (_, row) => row);
const inputs = rows.map((row) =>
  Float32Array.from({ length: 4 }, (_, i) => Math.sin(row * row + i) + Number(row % 3 === i)),
);
const targets = rows.map((row) => labels[row % 3] ?? '');
/** A change without chance: the values in reverse order, and half as large. */
const turned: Augmentation = { apply: (input) => tf.tidy(() => tf.mul(tf.reverse(input, -1), 0.5)) };

const views = inputs.map((input) => input.toReversed().map((value) => value / 2));

async function solved(given: Parameters<typeof fromArrays>[0], options: TrainHeadOptions) {
  const model = await vectorModel(4, { labels });
  const log = await expectNoLeak(() => trainHead(model, fromArrays({ labels, ...given }), options));
  return { log, weights: weightsOf(model) };
}

function weightsOf({ head }: TransferModel): number[] {
  return head.trunk.weights.flatMap(({ variable }) => Array.from(variable.dataSync()));
}

function expectSame(found: readonly number[], expected: readonly number[], within = 5e-3): void {
  found.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(within);
  });
}

test.each([true, false])('a view counts as an example of half the weight, with cache %s', async (cache) => {
  const viewed = await solved({ inputs, targets }, { augment: turned, views: 1, l2: 0.03, cache });
  const doubled = { inputs: [...inputs, ...views], targets: [...targets, ...targets] };
  const { log, weights } = await solved(doubled, { l2: 0.03 });
  expectSame(viewed.weights, weights);
  expect(viewed.log).toMatchObject({ method: 'lbfgs', examples: 30, solver: { views: 1 } });
  expect(log.solver).not.toHaveProperty('views');
  // Figures are those of the examples, not of their views.
  expect(viewed.log.epochs[0]?.loss).not.toBeCloseTo(log.epochs[0]?.loss ?? NaN, 3);
});

test('a view of the same input changes nothing, not even the choice of the penalty', async () => {
  const same: Augmentation = { apply: (input) => input.clone() };
  const plain = await solved({ inputs, targets }, {});
  const viewed = await solved({ inputs, targets }, { augment: same, views: 3 });
  expect(viewed.log.solver?.l2).toBe(plain.log.solver?.l2);
  expect(viewed.log.solver).toMatchObject({ views: 3, chosenOn: { examples: 30, folds: 5 } });
  expectSame(viewed.weights, plain.weights, 2e-2);
});

test('views of examples without weight, and of validation, do not take part', async () => {
  const options = { augment: turned, views: 2, l2: 0.03 };
  const spoilt = [...inputs, ...inputs.slice(0, 6).map((input) => input.map((value) => value * 1e3))];
  const weights = spoilt.map((_, row) => Number(row < 30));
  const found = await solved({ inputs: spoilt, targets: [...targets, ...targets.slice(0, 6)], weights }, options);
  expectSame(found.weights, (await solved({ inputs, targets }, options)).weights);
  const seen: number[] = [];
  const watched: Augmentation = {
    apply(input) {
      seen.push(1);
      return input.clone();
    },
  };
  const validation = fromArrays({ inputs, targets, labels });
  await solved({ inputs, targets }, { augment: watched, views: 12, validation });
  expect(seen).toHaveLength(12 * 30);
});

test("gradients train with 'fresh' views, and with views and epochs", async () => {
  const fresh = await solved({ inputs, targets }, { augment: turned });
  expect([fresh.log.method, fresh.log.reason]).toEqual(['gradient', 'augment needs gradient steps']);
  const stepped = await solved({ inputs, targets }, { augment: turned, views: 2, epochs: 2 });
  expect([stepped.log.method, stepped.log.reason]).toEqual(['gradient', 'epochs: 2 needs gradient steps']);
});
