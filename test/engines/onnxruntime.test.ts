// ONNX Runtime itself as the engine: `npm run test:engine`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  loadBase,
  nearestCentroid,
  predict,
  suggestCut,
  trainHead,
  useBackend,
  type TransferModel,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { graphArtifacts, node, placeholder } from '../support/tinyGraph.ts';
import { expectNoLeak, relativeError } from '../support/tensors.ts';
import { chain } from '../support/fusedChains.ts';
import { tinyModel, wave } from '../support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-engine-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const own = () => useBackend('wasm', { engine: 'own', threads: 2 });
const onnx = (threads = 2) => useBackend('wasm', { engine: 'onnxruntime', threads });

beforeEach(async () => {
  await onnx();
});

/** The largest difference of two lists of numbers. */
function gap(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? NaN))));
}

const picture = tinyPicture('across', randomGenerator(3));

const first = (model: TransferModel<'classes'>) => predict(model, picture);

describe('with ONNX Runtime', () => {
  test('verbs give what they give on the own engine', async () => {
    const model = await tinyTransfer();
    await trainHead(model, tinySamples(), { seed: 1 });
    const all = async () => {
      const { loss, accuracy } = await evaluate(model, tinySamples(6, 2));
      const prediction = await first(model);
      const classifier = await nearestCentroid(model.base);
      for (const label of tinyLabels) await classifier.add(tinyPicture(label, randomGenerator(4)), label);
      const near = await classifier.predict(picture);
      classifier.dispose();
      return { loss, accuracy, prediction, near };
    };
    const there = await all();
    await own();
    const here = await all();
    expect(there.accuracy).toBe(here.accuracy);
    expect(gap([there.loss], [here.loss])).toBeLessThan(1e-4);
    expect(there.prediction.map(({ label }) => label)).toEqual(here.prediction.map(({ label }) => label));
    expect(gap(probabilities(there.prediction), probabilities(here.prediction))).toBeLessThan(1e-4);
    expect(there.near[0]?.label).toBe(here.near[0]?.label);
    model.dispose();
  });

  test('the log names it, and the features train the same head but for the last digits', async () => {
    const heads: number[][] = [];
    for (const choose of [onnx, own]) {
      await choose();
      const model = await tinyTransfer();
      const log = await trainHead(model, tinySamples(), { seed: 1 });
      expect(log.engine).toBe(choose === onnx ? 'onnxruntime' : undefined);
      expect(log.leftToOwn).toBeUndefined();
      heads.push(Object.values(weightValues(model)).flat());
      model.dispose();
    }
    expect(gap(heads[0]!, heads[1]!)).toBeLessThan(1e-3);
  });

  test('a run gives the same bits each time, and with any number of threads', async () => {
    const source = tinyModel(32);
    const { trunk, ...base } = await loadBase(source);
    source.dispose();
    const input = wave([5, 32, 32, 3], 1, 0.3);
    const runs: Float32Array[] = [];
    for (const threads of [1, 2, 1, 2]) {
      await onnx(threads);
      const part = await trunk.fold();
      const output = await part.run(input);
      runs.push(await output.data<'float32'>());
      part.dispose();
      output.dispose();
    }
    for (const values of runs.slice(1)) expect(values).toEqual(runs[0]);
    base.dispose();
    trunk.dispose();
    input.dispose();
  });

  test('predictions follow the weights, and leave nothing', async () => {
    const model = await tinyTransfer();
    await expectNoLeak(async () => {
      const before = await first(model);
      expect(await first(model)).toEqual(before);
      for (const weight of model.base.trunk.weights) {
        const half = tf.mul(weight.variable, 0.5);
        weight.write(half);
        half.dispose();
      }
      const after = await first(model);
      expect(gap(probabilities(after), probabilities(before))).toBeGreaterThan(1e-3);
      await own();
      expect(gap(probabilities(await first(model)), probabilities(after))).toBeLessThan(1e-4);
    });
    model.dispose();
  });

  test('a base stays prepared while a run uses it, whatever happens to it meanwhile', async () => {
    const model = await tinyTransfer();
    const before = tf.memory().numTensors;
    const running = evaluate(model, tinySamples(40), { batchSize: 1 });
    await first(model);
    await own();
    await first(model);
    await onnx();
    await first(model);
    expect((await running).examples).toBe(120);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test('a run that began with it is not resumed with another engine', async () => {
    const checkpoint = { to: join(root, 'run') };
    const model = await tinyTransfer();
    await fineTune(model, tinySamples(), { unfreeze: ['conv2'], epochs: 1, seed: 1, checkpoint });
    await own();
    const again = await tinyTransfer();
    await expect(
      fineTune(again, tinySamples(), {
        unfreeze: ['conv2'],
        epochs: 2,
        seed: 1,
        checkpoint,
        resume: true,
      }),
    ).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH', message: expect.stringContaining('engine') as string });
    model.dispose();
    again.dispose();
  });

  test('suggestCut runs on it', async () => {
    const source = tinyModel();
    const base = await loadBase(source);
    source.dispose();
    const { suggested, cuts } = await suggestCut(base, tinySamples(), { seed: 1 });
    expect(base.trunk.stages.map(({ name }) => name)).toContain(suggested);
    expect(cuts[0]?.accuracy).toBeGreaterThan(0.5);
    base.dispose();
  });
});

test('nodes without a form run on the own engine, and are named', async () => {
  const attr = { T: { type: 'DT_FLOAT' } };
  const { trunk } = await loadBase(
    {
      load: () =>
        Promise.resolve(
          graphArtifacts(
            [
              placeholder([-1, 6]),
              node('a', 'Relu', ['images'], attr),
              node('turned', 'ReverseV2', ['a', 'axis'], attr),
              node('b', 'Tanh', ['turned'], attr),
              node('c', 'MatMul', ['b', 'w'], attr),
            ],
            [
              { name: 'axis', shape: [1], dtype: 'int32', values: [1] },
              { name: 'w', shape: [6, 3], dtype: 'float32', values: Array.from({ length: 18 }, (_, i) => Math.sin(i)) },
            ],
          ),
        ),
    },
    { cut: 'c' },
  );
  const input = wave([4, 6], 1, 0.4);
  const expected = trunk.run(input);
  await expectNoLeak(async () => {
    const part = await trunk.fold();
    expect(part.leftToOwn).toEqual(['turned (ReverseV2): this operation has no form in ONNX here']);
    const output = await part.run(input);
    expect(relativeError(output, expected)).toBeLessThan(1e-6);
    output.dispose();
    part.dispose();
  });
  trunk.dispose();
  tf.dispose([input, expected]);
});

test('every activation and pooling of layers gives the same values', async () => {
  for (const activation of [
    'elu',
    'relu6',
    'selu',
    'sigmoid',
    'softmax',
    'softplus',
    'softsign',
    'tanh',
    'swish',
  ] as const) {
    const trunk = await chain([layers.conv2d({ filters: 5, kernelSize: 3, activation })], [9, 8, 3]);
    const input = wave([2, 9, 8, 3], 2, 0.3);
    const expected = trunk.run(input, { fused: false });
    const part = await trunk.fold();
    const output = await part.run(input);
    expect(relativeError(output, expected), activation).toBeLessThan(1e-5);
    part.dispose();
    trunk.dispose();
    tf.dispose([input, expected, output]);
  }
});

function probabilities(prediction: readonly { readonly label: string; readonly probability: number }[]): number[] {
  return [...prediction].sort((a, b) => a.label.localeCompare(b.label)).map(({ probability }) => probability);
}
