// A trunk of neither layers nor nodes works in every verb: nothing asks of what make a trunk is.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  compare,
  defineBase,
  defineTrunk,
  evaluate,
  fineTune,
  freeze,
  fromArrays,
  isTransferKitError,
  knn,
  load,
  nearestCentroid,
  predict,
  replaceHead,
  save,
  suggestCut,
  toGraphModel,
  trainHead,
  unfreeze,
  type Samples,
  type TransferModel,
  type Trunk,
  type TrunkDefinition,
} from '../../src/index.ts';
import { fileSystem } from '../../src/node.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { ownTrunk } from '../support/ownTrunk.ts';
import { expectNoLeak, raisedBy } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { weightValues } from '../support/tinyTask.ts';
import { wave } from '../support/tinyModel.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-own-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeAll(async () => {
  await useTestBackend();
});

const labels = ['dark', 'light'];

function makeModel(changes?: Partial<TrunkDefinition>, hidden: number[] = []): TransferModel<'classes'> {
  return replaceHead(defineBase({ name: 'own', trunk: ownTrunk(changes) }), { labels, hidden });
}

/** Pictures whose brightness is their label. */
function samples(each = 12, seed = 1): Samples {
  const random = randomGenerator(seed);
  const targets = Array.from({ length: 2 * each }, (_, i) => labels[i % 2] ?? '');
  const inputs = targets.map((label) =>
    Float32Array.from({ length: 8 * 8 * 3 }, () => (label === 'light' ? 0.6 : -0.6) + random() - 0.5),
  );
  return fromArrays({ inputs, targets });
}

async function valuesOf(tensor: tf.Tensor): Promise<number[]> {
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

/** What a model says of a batch. */
function probabilities({ base, head }: TransferModel, batch: tf.Tensor): Promise<number[]> {
  return valuesOf(tf.tidy(() => tf.softmax(head.trunk.run(base.trunk.run(batch)))));
}

function expectClose(received: readonly number[], expected: readonly number[]): void {
  expect(received).toHaveLength(expected.length);
  received.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] ?? NaN, 5);
  });
}

describe('a custom trunk', () => {
  test('is frozen as a base, and its summary has its descriptions', () => {
    const model = makeModel();
    expect(model.base.cut).toBe('conv2');
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    const [title, , , ...rows] = model.base.summary().split('\n');
    expect(title).toBe('own: input [any, 8, 8, 3] float32, 4 layers in 2 stages');
    expect(rows[0]).toMatch(/^0 +norm +Sub +3$/);
    expect(rows[3]).toMatch(/^1 +conv2 +Conv2D +\[any, 4, 4, 6\] +222$/);
    model.dispose();
  });

  test('trains a head on features that are computed once, and leaks nothing', async () => {
    await expectNoLeak(async () => {
      const model = makeModel();
      const before = weightValues(model);
      const log = await trainHead(model, samples(), { epochs: 30, learningRate: 0.05 });
      expect(log.cachedUpTo).toBe('head_pooling_average');
      expect(log.unfolded).toEqual(['norm', 'conv1', 'drop', 'conv2']);
      const after = weightValues(model);
      for (const { name } of model.base.trunk.weights) expect(after[name]).toEqual(before[name]);
      const { accuracy } = await evaluate(model, samples(6, 2));
      expect(accuracy).toBe(1);
      model.dispose();
    });
  });

  test('is fine-tuned from a stage on, its penalty counted; frozen weights stay', async () => {
    await expectNoLeak(async () => {
      const model = makeModel();
      const before = weightValues(model);
      const log = await fineTune(model, samples(), {
        unfreeze: { from: 'conv2' },
        epochs: 2,
        learningRate: 1e-3,
        headEpochs: 1,
      });
      expect(log.cachedUpTo).toBe('conv1');
      const after = weightValues(model);
      expect(after['conv1/kernel']).toEqual(before['conv1/kernel']);
      expect(after['conv2/kernel']).not.toEqual(before['conv2/kernel']);
      const [plain] = await losses({ penalty: () => undefined });
      const [penalised] = await losses({});
      expect(penalised! - plain!).toBeGreaterThan(0.01);
      model.dispose();
    });
  });

  async function losses(changes: Partial<TrunkDefinition>): Promise<number[]> {
    const model = makeModel(changes);
    const { epochs } = await fineTune(model, samples(), {
      unfreeze: 'conv2',
      epochs: 1,
      learningRate: 1e-9,
      headEpochs: 0,
    });
    model.dispose();
    return epochs.map(({ loss }) => loss);
  }

  test('is frozen and unfrozen by the names of its layers', () => {
    const model = makeModel();
    const { layers } = unfreeze(model, { lastStages: 1 });
    expect(layers.find(({ name }) => name === 'conv2')?.state).toBe('trainable');
    expect(layers.find(({ name }) => name === 'conv1')?.state).toBe('frozen');
    freeze(model, /conv/);
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    model.dispose();
  });

  test('predicts, can be evaluated and compared, and works with knn', async () => {
    await expectNoLeak(async () => {
      const model = makeModel();
      await trainHead(model, samples(), { epochs: 30, learningRate: 0.05 });
      const bright = new Float32Array(192).fill(0.6);
      const [best] = await predict(model, bright);
      expect(best?.label).toBe('light');
      for (const make of [knn, nearestCentroid]) {
        const neighbours = await make(model.base);
        await neighbours.addAll(samples(4));
        expect((await neighbours.predict(bright))[0]?.label).toBe('light');
        neighbours.dispose();
      }
      const other = makeModel();
      const { rows } = await compare({ own: { model: other, options: { headEpochs: 1, epochs: 1 } } }, samples(6), {
        test: samples(4, 3),
        epochs: 1,
      });
      expect(rows).toHaveLength(1);
      other.dispose();
      model.dispose();
    });
  });

  test('is cut where its stages end', async () => {
    const base = defineBase({ name: 'own', trunk: ownTrunk() });
    const { cuts } = await expectNoLeak(() => suggestCut(base, samples(), { folds: 3 }));
    expect(cuts.map(({ cut }) => cut).sort()).toEqual(['conv1', 'conv2']);
    base.dispose();
  });
});

describe('written as nodes', () => {
  test('it is saved for plain tfjs and loaded, with the same values', async () => {
    const batch = wave([3, 8, 8, 3], 1, 0.2);
    await expectNoLeak(async () => {
      const model = makeModel({}, [5]);
      unfreeze(model, 'conv2');
      const expected = await probabilities(model, batch);
      await save(model, join(root, 'saved'));
      const plain = await loadGraphModel(fileSystem(join(root, 'saved')));
      expectClose(await valuesOf(plain.execute(batch, 'probabilities') as tf.Tensor), expected);
      plain.dispose();
      const again = await load(join(root, 'saved'), { task: 'classes' });
      expectClose(await probabilities(again, batch), expected);
      // What lies in front of the first kernel is preprocessing to a reader of nodes: a constant, no weight.
      const { 'norm/moving_mean': _mean, ...kept } = weightValues(model);
      expect(weightValues(again)).toEqual(kept);
      const frozen = ({ base, head }: TransferModel) =>
        [...base.trunk.weights, ...head.trunk.weights]
          .filter((weight) => !weight.frozen)
          .map(({ name }) => name)
          .sort();
      expect(frozen(again)).toEqual(frozen(model));
      again.dispose();
      model.dispose();
    });
    batch.dispose();
  });

  test('it becomes a GraphModel whose kernels are fused', async () => {
    const batch = wave([3, 8, 8, 3], 1, 0.2);
    await expectNoLeak(async () => {
      const model = makeModel({}, [5]);
      const expected = await probabilities(model, batch);
      const graphModel = await toGraphModel(model);
      expectClose(await valuesOf(graphModel.predict(batch) as tf.Tensor), expected);
      const { kernels } = await tf.profile(() => {
        tf.dispose(graphModel.predict(batch));
      });
      expect(kernels.filter(({ name }) => name === 'FusedConv2D')).toHaveLength(2);
      graphModel.dispose();
      model.dispose();
    });
    batch.dispose();
  });
});

describe('a missing member is named', () => {
  const lacks = (trunk: Trunk, name: keyof Trunk): Trunk => {
    const { [name]: _left, ...rest } = Object.getOwnPropertyDescriptors(trunk);
    return Object.defineProperties({} as Trunk, rest);
  };

  test.each([save, toGraphModel] as const)('writeNodes: %o', async (verb) => {
    const base = defineBase({ name: 'own', trunk: lacks(ownTrunk(), 'writeNodes') });
    const model = replaceHead(base, { labels });
    const error = await raisedBy(() => verb(model, join(root, 'none')));
    expect(isTransferKitError(error, 'UNSUPPORTED_TRUNK') && error.details).toEqual({
      missing: 'writeNodes',
      name: 'own',
    });
    expect(String(error)).toContain("expected a base whose trunk has layers or writeNodes, got 'own' with neither");
    model.dispose();
  });

  test('movingStatistics, where statistics are unfrozen', async () => {
    const model = makeModel();
    const train = () => fineTune(model, samples(), { unfreeze: 'norm', batchNorm: 'train', epochs: 1, headEpochs: 0 });
    const error = await raisedBy(train);
    expect(isTransferKitError(error, 'UNSUPPORTED_TRUNK') && error.details).toEqual({
      missing: 'movingStatistics',
      name: 'own',
    });
    freeze(model, 'norm');
    await fineTune(model, samples(), { unfreeze: 'conv2', batchNorm: 'train', epochs: 1, headEpochs: 0 });
    model.dispose();
  });
});

describe('defineTrunk refuses', () => {
  const spec = { shape: [null, 2], dtype: 'float32' } as const;
  const stage = (name: string, layers = [name]) => ({ name, layers, output: spec, run: (x: tf.Tensor) => tf.relu(x) });

  test.each<[string, Partial<TrunkDefinition>, RegExp]>([
    ['no stages', { stages: [] }, /at least one stage/],
    ['two stages of one name', { stages: [stage('a'), stage('a')] }, /two of name a/],
    ['a stage that ends with another layer', { stages: [stage('a', ['b'])] }, /stage 'a' to end with its layer/],
  ])('%s', (_, changes, text) => {
    expect(() => defineTrunk({ name: 'own', input: spec, stages: [stage('a')], weights: [], ...changes })).toThrow(
      text,
    );
  });

  test('a weight of no layer', () => {
    const variable = tf.variable(tf.zeros([1]));
    const weights = [{ layer: 'z', name: 'kernel', variable }];
    const make = () => defineTrunk({ name: 'own', input: spec, stages: [stage('a')], weights });
    expect(make).toThrow(/weight 'kernel' to be of a layer of a stage/);
    variable.dispose();
  });
});
