// The whole model as a fused GraphModel: the same probabilities, weights of its own, tfjs's own way to save it.
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fineTune,
  loadBase,
  predict,
  replaceHead,
  toGraphModel,
  useBackend,
  type HeadOptions,
  type TaskName,
  type TransferModel,
  type Unmixed,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { expectNoLeak, relativeError } from './support/tensors.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinyLabels, tinySamples, tinyTransfer } from './support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('wasm');
});

/** What predict gives for each row, in the order of the labels. */
async function predicted(model: TransferModel, rows: readonly Float32Array[]): Promise<number[][]> {
  const lists = await predict(
    model,
    rows.map((row) => tf.tensor(row, model.base.trunk.input.shape.slice(1) as number[])),
  );
  return lists.map((list) => {
    const found = list as unknown as { label?: string; output?: string; probability?: number; value?: number }[];
    return model.labels.map((label) => {
      const each = found.find((entry) => (entry.label ?? entry.output) === label);
      return each?.probability ?? each?.value ?? NaN;
    });
  });
}

function rowsFor({ base }: TransferModel): Float32Array[] {
  const size = base.trunk.input.shape.slice(1).reduce<number>((a, b) => a * (b ?? 1), 1);
  return [1, 2, 3].map((seed) => Float32Array.from({ length: size }, (_, i) => Math.abs(Math.sin(seed + i * 0.7))));
}

function batchOf({ base }: TransferModel, rows: readonly Float32Array[]): tf.Tensor {
  return tf.stack(rows.map((row) => tf.tensor(row, base.trunk.input.shape.slice(1) as number[])));
}

/** Asserts that the GraphModel of a model gives what predict gives. */
async function compare(
  model: TransferModel,
  pick: (probabilities: number[]) => number[] = (all) => all,
): Promise<void> {
  const rows = rowsFor(model);
  const expected = (await predicted(model, rows)).map(pick);
  const graphModel = await toGraphModel(model);
  const output = graphModel.predict(batchOf(model, rows)) as tf.Tensor;
  expect(relativeError(output, tf.tensor(expected))).toBeLessThan(1e-4);
  graphModel.dispose();
  model.dispose();
}

async function onGraph<T extends TaskName = 'classes'>(options: object = {}, cut?: string): Promise<TransferModel<T>> {
  const base = await loadBase(tinyGraph(), cut === undefined ? {} : { cut });
  return replaceHead<T>(base, { labels: ['a', 'b', 'c'], ...options } as HeadOptions<T> & Unmixed<T>);
}

describe('gives the values of predict', () => {
  test('on layers and on nodes, for every task', async () => {
    for (const make of [tinyTransfer, onGraph] as ((options?: object) => Promise<TransferModel>)[]) {
      await compare(await make());
      await compare(await make({ hidden: [5], dropout: 0.5 }));
      await compare(await make({ task: 'multiLabel' }));
      await compare(await make({ task: 'regression', labels: undefined, outputs: 2 }));
      // The probability of the second label.
      await compare(await make({ task: 'binary', labels: ['no', 'yes'] }), ([, second = NaN]) => [second]);
    }
  });

  test('with a custom head of convolutions', async () => {
    const own = (shape: number[]) =>
      sequential({
        layers: [
          layers.conv2d({ inputShape: shape, filters: 4, kernelSize: 2, useBias: false }),
          layers.batchNormalization({}),
          layers.activation({ activation: 'relu' }),
          layers.globalMaxPooling2d({}),
          layers.dense({ units: 3 }),
        ],
      });
    await compare(await onGraph({ model: own([8, 8, 6]) }, 'net/add'));
    await compare(await tinyTransfer({ model: own([4, 4, 12]) }));
  });
});

describe('the GraphModel', () => {
  test('is fused, with one input and one output with names', async () => {
    const model = await tinyTransfer();
    const graphModel = await toGraphModel(model);
    const input = batchOf(model, rowsFor(model));
    const { kernels } = await tf.profile(() => graphModel.predict(input));
    const names = kernels.map(({ name }) => name).filter((name) => !/__op$|^(Cast|Reshape)$/.test(name));
    const fused = [
      'FusedConv2D',
      'FusedConv2D',
      'FusedDepthwiseConv2D',
      'FusedConv2D',
      'Add',
      'MaxPool',
      'FusedConv2D',
    ];
    expect(names).toEqual([...fused, 'AvgPool', '_FusedMatMul', 'Softmax']);
    expect(graphModel.inputs.map(({ name, shape, dtype }) => [name, shape, dtype])).toEqual([
      ['picture', [-1, 16, 16, 3], 'float32'],
    ]);
    expect(graphModel.outputs.map(({ name }) => name)).toEqual(['probabilities']);
    expect(graphModel.metadata).toEqual({
      labels: tinyLabels,
      task: 'classes',
      preprocessor: model.base.preprocessor.spec,
    });
    graphModel.dispose();
    model.dispose();
  });

  test('has its own weights', async () => {
    const model = await tinyTransfer();
    const graphModel = await toGraphModel(model);
    const input = batchOf(model, rowsFor(model));
    const before = graphModel.predict(input) as tf.Tensor;
    await fineTune(model, tinySamples(), { epochs: 1, learningRate: 1e-2 });
    model.dispose();
    const after = graphModel.predict(input) as tf.Tensor;
    expect(await after.data()).toEqual(await before.data());
    graphModel.dispose();
  });

  test('saves and loads by tfjs', async () => {
    const model = await tinyTransfer();
    const graphModel = await toGraphModel(model);
    const input = batchOf(model, rowsFor(model));
    const expected = graphModel.predict(input) as tf.Tensor;
    const folder = mkdtempSync(join(tmpdir(), 'graph-'));
    try {
      await graphModel.save(fileSystem(folder));
      const again = await loadGraphModel(fileSystem(folder));
      expect(await (again.predict(input) as tf.Tensor).data()).toEqual(await expected.data());
      expect(again.metadata).toEqual(graphModel.metadata);
      again.dispose();
      // Of any GraphModel a base can be made: the head goes, as every classifier does.
      const base = await loadBase(folder);
      expect(base.trunk.unit).toBe('nodes');
      base.dispose();
    } finally {
      rmSync(folder, { recursive: true });
    }
    graphModel.dispose();
    model.dispose();
  });

  test('leaks nothing', async () => {
    for (const model of [await tinyTransfer(), await onGraph()]) {
      await expectNoLeak(async () => {
        (await toGraphModel(model)).dispose();
      });
      model.dispose();
      await expect(toGraphModel(model)).rejects.toMatchObject({ code: 'DISPOSED' });
    }
  });

  test('is refused for a model that is disposed, before or during the call', async () => {
    const model = await tinyTransfer();
    const making = toGraphModel(model);
    model.dispose();
    await expect(making).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(toGraphModel(model)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  test('is refused with the names of all layers that cannot be written as nodes', async () => {
    const head = sequential({
      layers: [
        layers.conv2dTranspose({ inputShape: [4, 4, 12], filters: 3, kernelSize: 2, name: 'wider' }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3 }),
      ],
    });
    const model = await tinyTransfer({ model: head });
    await expectNoLeak(async () => {
      await expect(toGraphModel(model)).rejects.toMatchObject({
        code: 'UNSUPPORTED_LAYER',
        details: { layers: ['wider'] },
        message: expect.stringContaining("got 'wider' (Conv2DTranspose). Use predict") as string,
      });
    });
    model.dispose();
  });
});
