// The conformance suite of trunks: passes every trunk of ours, and names what is wrong with one that breaks its promises.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBase, replaceHead, type Trunk } from '../../src/index.ts';
import { checkTrunk } from '../../src/testing.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { trunkAsTested, useTestBackend } from '../support/testBackend.ts';
import { setWeights, tinyModel, wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  await useTestBackend();
});

const checks = {
  weights: 'weights have unique names, known stages and finite values',
  run: 'a run gives the promised shape and leaves one tensor',
  stages: 'stage by stage gives the same as one run',
  repeat: 'inference gives the same values twice',
  folded: 'folded it gives the same, to a ten-thousandth of the largest value, and leaves no tensor',
  gradients: 'every weight but statistics has a gradient',
  unmoved: 'running moves no weight',
  statistics: 'unfrozen BatchNorm in training mode hands out its new statistics and leaves no other tensor',
  dispose: 'dispose frees the weights, twice does no harm, and running then raises DISPOSED',
};

async function tinyTrunk(): Promise<Trunk> {
  const source = tinyModel();
  const { trunk } = await loadBase(source);
  source.dispose();
  return trunk;
}

async function mlpTrunk(): Promise<Trunk> {
  const source = sequential({
    name: 'mlp',
    layers: [
      layers.dense({ inputShape: [5], units: 7, activation: 'tanh' }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 4, activation: 'relu' }),
      layers.dense({ units: 3 }),
    ],
  });
  setWeights(source);
  const { trunk } = await loadBase(source, { cut: source.layers.at(-1)?.name ?? '' });
  source.dispose();
  return trunk;
}

async function headTrunk(): Promise<Trunk> {
  const source = tinyModel();
  const base = await loadBase(source);
  const { head } = replaceHead(base, { labels: ['a', 'b'], hidden: [6], pooling: 'both' });
  source.dispose();
  base.dispose();
  return head.trunk;
}

describe('checkTrunk passes', () => {
  test.each<[string, () => Promise<Trunk>, number[]]>([
    ['a network with BatchNorm, a residual block and dropout', tinyTrunk, [2, 16, 16, 3]],
    ['a head', headTrunk, [2, 4, 4, 12]],
    ['a plain MLP', mlpTrunk, [3, 5]],
  ])('%s, and leaves no tensor', async (_, make, shape) => {
    const input = wave(shape, 1, 0.3);
    await expectNoLeak(async () => {
      const report = await checkTrunk(trunkAsTested(await make()), input);
      expect(report).toEqual({ passed: Object.values(checks), failed: [] });
    });
    input.dispose();
  });
});

describe('checkTrunk fails, by the name of the check, what', () => {
  /** A trunk that does as another one but for some fields; `disposed` stays live. */
  function broken(trunk: Trunk, fields: Partial<Trunk>): Trunk {
    return Object.defineProperties({} as Trunk, {
      ...Object.getOwnPropertyDescriptors(trunk),
      ...Object.getOwnPropertyDescriptors(fields),
    });
  }
  const kept: tf.Tensor[] = [];
  let runs = 0;

  test.each<[string, (trunk: Trunk) => Partial<Trunk>, { check: string; reason: string | RegExp }[]]>([
    [
      'leaks a tensor',
      (trunk) => ({
        run: (x, options) => {
          kept.push(tf.keep(tf.zeros([1])));
          return trunk.run(x, options);
        },
      }),
      [
        { check: checks.run, reason: 'a run left 2 tensors' },
        { check: checks.statistics, reason: 'a run in training mode left 1 tensors' },
      ],
    ],
    [
      'gives away a tensor that it still uses',
      (trunk) => {
        const result = tf.keep(tf.zeros([2, 4, 4, 12]));
        kept.push(result);
        return { run: (x, options) => (options?.from === undefined ? result : trunk.run(x, options)) };
      },
      [
        { check: checks.run, reason: 'a run left 0 tensors' },
        { check: checks.stages, reason: /./ },
        { check: checks.repeat, reason: /./ },
        { check: checks.folded, reason: /./ },
        { check: checks.gradients, reason: /./ },
        { check: checks.statistics, reason: 'statistics were handed out 0 times' },
        { check: checks.dispose, reason: 'running after dispose raised nothing' },
      ],
    ],
    [
      'moves its statistics',
      (trunk) => ({
        run: (x, options) => {
          if (options?.dropoutSeed !== undefined) {
            for (const weight of trunk.weights) {
              if (weight.kind === 'statistics') weight.write(tf.tidy(() => tf.add(weight.variable, 0.01)));
            }
          }
          return trunk.run(x, options);
        },
      }),
      [{ check: checks.unmoved, reason: 'bn1/moving_mean moved' }],
    ],
    [
      'drops by chance in inference',
      (trunk) => ({ run: (x, options) => trunk.run(x, { ...options, dropoutSeed: runs++ }) }),
      [
        { check: checks.stages, reason: 'the values differ' },
        { check: checks.repeat, reason: 'the values differ' },
        { check: checks.folded, reason: 'the values differ' },
      ],
    ],
    [
      'folds into something else',
      (trunk) => ({
        fold: async (range) => {
          const part = await trunk.fold(range);
          return { ...part, run: (x) => tf.tidy(() => tf.mul(part.run(x), 1.01)) };
        },
      }),
      [{ check: checks.folded, reason: 'the values differ' }],
    ],
    [
      'leaks what it folds',
      (trunk) => ({ fold: async (range) => ({ ...(await trunk.fold(range)), dispose: () => undefined }) }),
      [{ check: checks.folded, reason: /^folding left \d+ tensors$/ }],
    ],
    [
      'keeps statistics back',
      (trunk) => ({
        run: (x, { onStatistics, ...options } = {}) =>
          trunk.run(x, {
            ...options,
            ...(onStatistics && {
              onStatistics: (moved) => {
                tf.dispose(moved[0]?.value ?? []);
                onStatistics(moved.slice(1));
              },
            }),
          }),
      }),
      [{ check: checks.statistics, reason: /^a run handed out statistics of bn1\/moving_variance, / }],
    ],
    [
      'promises another shape',
      () => ({ output: { shape: [null, 4, 4, 13], dtype: 'float32' } }),
      [{ check: checks.run, reason: 'a run gave [2, 4, 4, 12]' }],
    ],
    [
      'has a stage of another shape',
      (trunk) => ({
        stages: trunk.stages.map((stage, i) =>
          i === 0 ? { ...stage, output: { ...stage.output, shape: [null, 1] } } : stage,
        ),
      }),
      [{ check: checks.stages, reason: 'stage relu1 gave [2, 8, 8, 8]' }],
    ],
    [
      'cuts the tape',
      (trunk) => ({
        run: (x, options) => {
          const y = trunk.run(x, options);
          const copy = tf.tensor(y.dataSync().slice(), y.shape);
          y.dispose();
          return copy;
        },
      }),
      [{ check: checks.gradients, reason: /./ }],
    ],
    [
      'has two weights of one name',
      (trunk) => ({ weights: trunk.weights.map((weight) => ({ ...weight, name: 'w' })) }),
      [{ check: checks.weights, reason: 'two weights have the same name' }],
    ],
    [
      'has a weight of no stage',
      (trunk) => ({ weights: trunk.weights.map((weight, i) => (i === 0 ? { ...weight, stage: 9 } : weight)) }),
      [{ check: checks.weights, reason: 'conv1/kernel is of stage 9 of 3' }],
    ],
    [
      'runs on after dispose',
      (trunk) => ({
        run: (x, options) => (trunk.disposed ? tf.zeros([2, 4, 4, 12]) : trunk.run(x, options)),
      }),
      [{ check: checks.dispose, reason: 'running after dispose raised nothing' }],
    ],
    ['frees nothing', () => ({ dispose: () => undefined }), [{ check: checks.dispose, reason: 'disposed is false' }]],
  ])('%s', async (_, break_, expected) => {
    const trunk = await tinyTrunk();
    const { passed, failed } = await checkTrunk(broken(trunk, break_(trunk)), wave([2, 16, 16, 3], 1, 0.3));
    expect(failed.map(({ check }) => check)).toEqual(expected.map(({ check }) => check));
    expected.forEach(({ reason }, i) => {
      expect(failed[i]?.reason).toMatch(reason);
    });
    expect([...passed, ...failed.map(({ check }) => check)].sort()).toEqual(Object.values(checks).sort());
    tf.dispose(kept.splice(0));
  });

  test('has a weight that is not finite', async () => {
    const trunk = await tinyTrunk();
    trunk.weights[0]?.write(tf.fill([3, 3, 3, 8], NaN));
    const { failed } = await checkTrunk(trunk, wave([2, 16, 16, 3], 1, 0.3));
    expect(failed).toContainEqual({ check: checks.weights, reason: 'conv1/kernel is not finite' });
  });

  test('takes another input', async () => {
    const { failed } = await checkTrunk(await tinyTrunk(), wave([2, 8, 8, 3], 1, 0.3));
    expect(failed.map(({ check }) => check)).toContain(checks.run);
    expect(failed[0]?.reason).toContain('expected a tensor of shape [any, 16, 16, 3]');
  });
});

test('a trunk without weights passes', async () => {
  const source = sequential({
    layers: [layers.flatten({ inputShape: [2, 3] }), layers.activation({ activation: 'relu' })],
  });
  const { trunk } = await loadBase(source, { cut: source.layers.at(-1)?.name ?? '' });
  expect(await checkTrunk(trunk, wave([2, 2, 3], 1, 0.1))).toMatchObject({ failed: [] });
});
