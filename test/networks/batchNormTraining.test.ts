// BatchNorm in training mode against Keras: values, gradients and moving statistics over steps of SGD.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { layers, model, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MovedStatistic, StageRange, Trunk } from '../../src/core/types.ts';
import { loadBase } from '../../src/loadBase.ts';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { readLiveModel } from '../../src/formats/tfjs/liveModel.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { trunkAsTested, useTestBackend } from '../support/testBackend.ts';
import { graphArtifacts, node, tinyConstants, tinyGraph, tinyLayers, tinyNodes } from '../support/tinyGraph.ts';
import { wave } from '../support/tinyModel.ts';

type Values = Readonly<Record<string, readonly number[]>>;

interface Case {
  readonly batch: number;
  readonly frozen: readonly string[];
  readonly start: Values;
  readonly steps: readonly { readonly output: readonly number[]; readonly loss: number; readonly gradients: Values }[];
  readonly after: Values;
}

const golden = JSON.parse(readFileSync(new URL('../golden/batchNorm.json', import.meta.url), 'utf8')) as Record<
  string,
  Case
>;

/** The networks of golden/batchNorm.py. */
const networks: Readonly<Record<string, () => LayersModel>> = {
  maps: () =>
    sequential({
      layers: [
        layers.conv2d({
          name: 'conv1',
          filters: 3,
          kernelSize: 3,
          padding: 'same',
          useBias: false,
          inputShape: [6, 5, 2],
        }),
        layers.batchNormalization({ name: 'bn1', momentum: 0.9 }),
        layers.reLU({ name: 'relu1' }),
        layers.conv2d({ name: 'conv2', filters: 2, kernelSize: 1 }),
        layers.batchNormalization({ name: 'bn2', scale: false, epsilon: 0.01 }),
      ],
    }),
  vectors: () =>
    sequential({
      layers: [
        layers.dense({ name: 'dense1', units: 4, useBias: false, inputShape: [5] }),
        layers.batchNormalization({ name: 'bn1', center: false, momentum: 0.8 }),
        layers.reLU({ name: 'relu1' }),
        layers.dense({ name: 'dense2', units: 3 }),
        layers.batchNormalization({ name: 'bn2' }),
        layers.dense({ name: 'dense3', units: 2 }),
      ],
    }),
  twice: () => {
    const call = (layer: { apply(x: unknown): unknown }, x: unknown) => layer.apply(x) as SymbolicTensor;
    const inputs = layers.input({ shape: [4, 4, 3] });
    const x = call(layers.batchNormalization({ name: 'rows', axis: 1 }), inputs);
    const shared = layers.batchNormalization({ name: 'shared', momentum: 0.7 });
    const both = [call(shared, x), call(shared, call(layers.activation({ name: 'tanh', activation: 'tanh' }), x))];
    return model({ inputs, outputs: call(layers.add({ name: 'sum' }), both) });
  },
};

async function trunkOf(network: LayersModel): Promise<Trunk> {
  const artefact = readLiveModel(network);
  const trunk = await buildTrunk(
    parseTopology(artefact.topology),
    artefact.weights(() => true),
  );
  // A layer that is called twice counts as two.
  const own = network.weights.map((weight) => weight.read());
  network.dispose();
  tf.dispose(own.filter(({ isDisposed }) => !isDisposed));
  return trunkAsTested(trunk);
}

/** A trunk with the weights of a golden case, all of it unfrozen but what the case freezes. */
async function start(name: keyof typeof networks, { start: values, frozen }: Pick<Case, 'start' | 'frozen'>) {
  const trunk = await trunkOf(networks[name]!());
  for (const weight of trunk.weights) {
    weight.frozen = frozen.includes(weight.layer);
    write(weight, values[weight.name]!);
  }
  return trunk;
}

function write(weight: Trunk['weights'][number], values: readonly number[]): void {
  tf.tidy(() => {
    weight.write(tf.tensor([...values], [...weight.shape]));
  });
}

/** One step of SGD as golden/batchNorm.py makes it: what it found, as plain values. */
function step(trunk: Trunk, batch: number, index: number) {
  return tf.tidy(() => {
    const moving = trunk.weights.filter(({ frozen, kind }) => !frozen && kind !== 'statistics');
    const x = wave([batch, ...trunk.input.shape.slice(1).map(Number)], 1, index);
    let [moved, output]: [readonly MovedStatistic[], tf.Tensor] = [[], x];
    const { value, grads } = tf.variableGrads(
      () => {
        const y = trunk.run(x, { onStatistics: (found) => (moved = found) });
        output = tf.keep(tf.clone(y));
        return tf.mean<tf.Scalar>(tf.squaredDifference(y, wave(y.shape, 1, index + 5)));
      },
      moving.map(({ variable }) => variable),
    );
    const gradients = moving.map(({ name, variable }) => [name, grads[variable.name]!] as const);
    for (const { variable } of moving) variable.assign(tf.sub(variable, tf.mul(grads[variable.name]!, 0.2)));
    for (const { weight, value: statistic } of moved) weight.write(statistic);
    const found = {
      output: [...output.dataSync()],
      loss: value.dataSync()[0]!,
      gradients: Object.fromEntries(gradients.map(([name, gradient]) => [name, [...gradient.dataSync()]])),
    };
    tf.dispose([output, ...moved.map(({ value: statistic }) => statistic)]);
    return found;
  });
}

function valuesOf(trunk: Trunk): Record<string, number[]> {
  return Object.fromEntries(trunk.weights.map(({ name, variable }) => [name, [...variable.dataSync()]]));
}

/** Equal to 1e-5 of the largest value, at least of 1. */
function expectNear(found: Values, expected: Values): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    const scale = Math.max(1, ...values.map(Math.abs));
    const distances = values.map((value, i) => Math.abs(value - found[name]![i]!) / scale);
    expect(Math.max(...distances), name).toBeLessThan(1e-5);
  }
}

/** What a run in training mode hands out, by the names of the weights; frees everything. */
function statisticsOf(trunk: Trunk, x: tf.Tensor, range: StageRange = {}): Values {
  let moved: readonly MovedStatistic[] = [];
  tf.dispose(trunk.run(x, { ...range, onStatistics: (found) => (moved = found) }));
  const values = moved.map(({ weight, value }) => [weight.name, [...value.dataSync()]] as const);
  tf.dispose(moved.map(({ value }) => value));
  return Object.fromEntries(values);
}

beforeAll(async () => {
  await useTestBackend();
});

describe('steps of SGD are those of Keras', () => {
  test.each([
    ['maps', 'maps'],
    ['maps', 'maps with a frozen BatchNorm'],
    ['vectors', 'vectors'],
    ['vectors', 'one vector'],
    ['twice', 'another axis, and a layer that is called twice'],
  ])('%s: %s', async (network, name) => {
    const expected = golden[name]!;
    await expectNoLeak(async () => {
      const trunk = await start(network, expected);
      expected.steps.forEach(({ output, loss, gradients }, index) => {
        const found = step(trunk, expected.batch, index);
        expectNear({ output: found.output, loss: [found.loss] }, { output, loss: [loss] });
        expectNear(found.gradients, gradients);
      });
      expectNear(valuesOf(trunk), expected.after);
      trunk.dispose();
    });
  });
});

describe('a run in training mode', () => {
  const maps = golden.maps!;

  test('changes nothing itself, and gives the same results twice', async () => {
    const trunk = await start('maps', maps);
    const before = valuesOf(trunk);
    const x = wave([4, 6, 5, 2], 1, 0);
    const found = statisticsOf(trunk, x);
    expect(valuesOf(trunk)).toEqual(before);
    expect(statisticsOf(trunk, x)).toEqual(found);
    expect(Object.keys(found)).toEqual(trunk.movingStatistics!().map(({ name }) => name));
    tf.dispose(x);
    trunk.dispose();
  });

  test('is a run in inference mode if all is frozen', async () => {
    const trunk = await start('maps', { ...maps, frozen: ['bn1', 'bn2'] });
    const x = wave([4, 6, 5, 2], 1, 0);
    expect(statisticsOf(trunk, x)).toEqual({});
    expect(trunk.movingStatistics!()).toEqual([]);
    tf.tidy(() => {
      const [training, inference] = [trunk.run(x, { onStatistics: () => undefined }), trunk.run(x)];
      expect(training.dataSync()).toEqual(inference.dataSync());
    });
    tf.dispose(x);
    trunk.dispose();
  });

  test('of a part returns the statistics of that part', async () => {
    const trunk = await start('maps', maps);
    const [first] = trunk.stages;
    const x = wave([4, 6, 5, 2], 1, 0);
    expect(first!.layers).toEqual(['conv1', 'bn1', 'relu1']);
    expect(Object.keys(statisticsOf(trunk, x, { to: 1 }))).toEqual(['bn1/moving_mean', 'bn1/moving_variance']);
    expect(statisticsOf(trunk, x, { to: 0 })).toEqual({});
    tf.dispose(x);
    trunk.dispose();
  });

  test('accepts integers', async () => {
    const trunk = await trunkOf(sequential({ layers: [layers.batchNormalization({ name: 'bn', inputShape: [3] })] }));
    for (const weight of trunk.weights) weight.frozen = false;
    const whole = tf.tensor2d([[1, 2, 3], [3, 2, 5]], undefined, 'int32'); // prettier-ignore
    expectNear(statisticsOf(trunk, whole), {
      'bn/moving_mean': [0.02, 0.02, 0.04],
      'bn/moving_variance': [0.99 + 0.01, 0.99, 0.99 + 0.01],
    });
    tf.dispose(whole);
    trunk.dispose();
  });

  test('leaks nothing if it fails', async () => {
    const trunk = await start('maps', maps);
    const x = wave([4, 6, 5, 2], 1, 0);
    const before = tf.memory().numTensors;
    const fails = (found: readonly MovedStatistic[]) => {
      tf.dispose(found.map(({ value }) => value));
      throw new Error('nobody takes them');
    };
    expect(() => trunk.run(x, { onStatistics: fails })).toThrow('nobody takes them');
    expect(() => trunk.run(x, { from: 1, onStatistics: fails })).toThrow('expected a tensor of shape');
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(x);
    trunk.dispose();
    expect(() => trunk.movingStatistics!()).toThrow('after its dispose()');
  });

  test.each([
    ['renorm', true],
    ['synchronized', true],
    ['virtual_batch_size', 8],
  ])('is refused if a layer trains with other statistics: %s', async (setting, value) => {
    const network = sequential({ layers: [layers.batchNormalization({ name: 'bn', inputShape: [3] })] });
    const artefact = readLiveModel(network);
    const graph = parseTopology(artefact.topology);
    const spec = graph.layers.get('bn')!;
    const config = { ...spec.config, [setting]: value };
    const changed = { ...graph, layers: new Map(graph.layers).set('bn', { ...spec, config }) };
    const trunk = trunkAsTested(await buildTrunk(changed, artefact.weights(() => true))); // prettier-ignore
    network.dispose();
    const x = tf.ones([2, 3]);
    expect(trunk.movingStatistics!()).toEqual([]);
    expect(statisticsOf(trunk, x)).toEqual({});
    for (const weight of trunk.weights) weight.frozen = false;
    const message = `got 'bn' with ${setting} ${String(value)}. Freeze the layer`;
    expect(() => trunk.movingStatistics!()).toThrow(message);
    await expectNoLeak(() => {
      expect(() => trunk.run(x, { onStatistics: () => undefined })).toThrow(message);
    });
    tf.dispose(x);
    trunk.dispose();
  });
});

describe('a GraphModel in training mode', () => {
  const x = () => tf.randomUniform([3, 8, 8, 3], 0, 1, 'float32', 3);

  test('gives values, gradients and statistics of the same network of layers', async () => {
    const source = tinyLayers();
    const [layered, graph] = [await loadBase(source, { cut: 'pool' }), await loadBase(tinyGraph())];
    source.dispose();
    const input = x();
    const scaled = tf.tidy(() => tf.sub(tf.mul(input, 2), 1));
    const found = await expectNoLeak(() => judge(graph.trunk, input));
    const expected = await expectNoLeak(() => judge(layered.trunk, scaled));
    expectNear(found.gradients, expected.gradients);
    expectNear(found.statistics, expected.statistics);
    expectNear({ output: found.output }, { output: expected.output });
    tf.dispose([input, scaled]);
    layered.dispose();
    graph.dispose();
  });

  test('has each node in the mode that its weights need', async () => {
    const { trunk } = await loadBase({ load: () => Promise.resolve(twoNorms()) });
    const names = trunk.stages.flatMap((stage) => stage.layers);
    expect(names).toEqual(expect.arrayContaining(['net/bn1', 'net/bn2']));
    const input = x();
    const moves = () => Object.keys(statisticsOf(trunk, input));
    expect(moves()).toEqual([]);
    for (const weight of trunk.weights) weight.frozen = weight.layer !== 'net/bn2';
    expect(moves()).toEqual(['bn2/mean', 'bn2/variance']);
    // What the pooling behind the node gives in inference mode: means of (x - 0.3) / sqrt(0.801) * 1.5 + 0.1.
    const given = tf.tidy(() => tf.mean(trunk.run(input), 0).dataSync());
    const mean = given.map((value) => ((value - 0.1) / 1.5) * Math.sqrt(0.801) + 0.3);
    const moved = statisticsOf(trunk, input)['bn2/mean']!;
    for (const [channel, value] of moved.entries()) expect(value).toBeCloseTo(0.3 * 0.99 + mean[channel]! * 0.01, 5);
    for (const weight of trunk.weights) weight.frozen = false;
    expect(moves()).toEqual(['bn1/moving_mean', 'bn1/moving_variance', 'bn2/mean', 'bn2/variance']);
    await expectNoLeak(() => {
      expect(Object.keys(statisticsOf(trunk, input, { to: 2 }))).toEqual(['bn1/moving_mean', 'bn1/moving_variance']);
    });
    input.dispose();
    trunk.dispose();
  });
});

/** Output, gradients and statistics of a run in training mode, as plain values. */
function judge(trunk: Trunk, x: tf.Tensor): { output: readonly number[]; gradients: Values; statistics: Values } {
  for (const weight of trunk.weights) weight.frozen = false;
  const moving = trunk.weights.filter(({ kind }) => kind !== 'statistics');
  for (const { variable } of moving) variable.trainable = true;
  const found = tf.tidy(() => {
    const loss = () => tf.sum<tf.Scalar>(tf.square(trunk.run(x, { onStatistics: release })));
    const { grads } = tf.variableGrads(loss, moving.map(({ variable }) => variable)); // prettier-ignore
    const output = trunk.run(x, { onStatistics: release });
    return {
      output: [...output.dataSync()],
      gradients: Object.fromEntries(moving.map(({ name, variable }) => [name, [...grads[variable.name]!.dataSync()]])),
    };
  });
  return { ...found, statistics: statisticsOf(trunk, x) };
}

function release(moved: readonly MovedStatistic[]): void {
  tf.dispose(moved.map(({ value }) => value));
}

/** The tiny graph with a second BatchNorm behind its block. */
function twoNorms(): tf.io.ModelArtifacts {
  const source = tinyLayers();
  const constants = tinyConstants(source);
  source.dispose();
  const values = { gamma: 1.5, beta: 0.1, mean: 0.3, variance: 0.8 };
  const added = Object.entries(values).map(([name, value]) => ({
    name: `bn2/${name}`,
    shape: [6],
    dtype: 'float32' as const,
    values: new Float32Array(6).fill(value),
  }));
  const attr = { T: { type: 'DT_FLOAT' }, epsilon: { f: 0.001 }, is_training: { b: false } };
  const norm = node('net/bn2', 'FusedBatchNormV3', ['net/add', ...added.map(({ name }) => name)], attr);
  const nodes = tinyNodes().map((each) =>
    'name' in each && each.name === 'net/pool' ? { ...each, input: ['net/bn2', 'net/pool/axes'] } : each,
  );
  return graphArtifacts([...nodes, norm], [...constants, ...added]);
}
