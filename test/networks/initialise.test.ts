// First values of weights: the distributions of Keras, decided by seed and name alone.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { noWeights } from '../../src/core/weightSource.ts';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import { initialValues } from '../../src/networks/read/initialise.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { readLiveModel } from '../../src/formats/tfjs/liveModel.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { tinyModel } from '../support/tinyModel.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

function draw(initializer: Json, shape: readonly number[], weight = 'kernel', seed = 1, className = 'Conv2D') {
  const key = `${weight.replace(/_kernel$/, '')}_initializer`;
  const config = { name: 'layer', [key]: initializer };
  return initialValues({ name: 'layer', className, config, path: ['layer'] }, `layer/${weight}`, shape, seed);
}

function spread(values: Float32Array) {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length;
  return {
    mean,
    deviation: Math.sqrt(variance),
    furthest: values.reduce((far, each) => Math.max(far, Math.abs(each)), 0),
  };
}

const named = (name: string, config: Record<string, Json> = {}): Json => ({ class_name: name, config });

describe('initialValues', () => {
  // [initialiser, deviation, furthest]: fan in 3 * 3 * 20 = 180, fan out 3 * 3 * 40 = 360.
  test.each<[string, Json, number, number]>([
    ['GlorotUniform', named('GlorotUniform'), Math.sqrt(2 / 540), Math.sqrt(6 / 540)],
    ['GlorotNormal', named('GlorotNormal', { seed: 3 }), Math.sqrt(2 / 540), (2 * Math.sqrt(2 / 540)) / 0.87962566],
    ['HeUniform', named('HeUniform'), Math.sqrt(2 / 180), Math.sqrt(6 / 180)],
    ['he_normal as text', 'he_normal', Math.sqrt(2 / 180), (2 * Math.sqrt(2 / 180)) / 0.87962566],
    ['LecunNormal', named('LecunNormal'), Math.sqrt(1 / 180), (2 * Math.sqrt(1 / 180)) / 0.87962566],
    [
      'VarianceScaling, fan_out, truncated',
      named('VarianceScaling', { scale: 2, mode: 'fan_out', distribution: 'truncated_normal' }),
      Math.sqrt(2 / 360),
      (2 * Math.sqrt(2 / 360)) / 0.87962566,
    ],
    [
      'VarianceScaling, fan_out, untruncated',
      named('VarianceScaling', { scale: 2, mode: 'fan_out', distribution: 'untruncated_normal' }),
      Math.sqrt(2 / 360),
      5 * Math.sqrt(2 / 360),
    ],
    [
      'VarianceScaling, fan_avg, uniform',
      named('VarianceScaling', { scale: 3, mode: 'fan_avg', distribution: 'uniform' }),
      Math.sqrt(3 / 270),
      Math.sqrt(9 / 270),
    ],
    ['RandomNormal', named('RandomNormal', { stddev: 0.1 }), 0.1, 0.5],
    ['TruncatedNormal', named('TruncatedNormal', { stddev: 0.02 }), 0.02 * 0.87962566, 0.04],
    ['RandomUniform', named('RandomUniform', { minval: -1, maxval: 1 }), Math.sqrt(1 / 3), 1],
  ])('%s has the spread of Keras', (_, initializer, deviation, furthest) => {
    const found = spread(draw(initializer, [3, 3, 20, 40]));
    expect(found.mean).toBeCloseTo(0, 1);
    expect(found.deviation / deviation).toBeGreaterThan(0.97);
    expect(found.deviation / deviation).toBeLessThan(1.03);
    expect(found.furthest).toBeLessThanOrEqual(furthest * 1.000001);
  });

  test('a depthwise kernel has the fans of Keras: window times channels, window times multiplier', () => {
    const found = spread(draw(named('GlorotUniform'), [3, 3, 512, 1], 'depthwise_kernel'));
    expect(found.furthest).toBeLessThanOrEqual(Math.sqrt(6 / (9 * 512 + 9)));
    expect(found.deviation / Math.sqrt(2 / (9 * 513))).toBeCloseTo(1, 1);
  });

  test('constants', () => {
    expect([...draw(named('Zeros'), [2])]).toEqual([0, 0]);
    expect([...draw('ones', [2], 'gamma')]).toEqual([1, 1]);
    expect([...draw(named('Constant', { value: 0.5 }), [2], 'bias')]).toEqual([0.5, 0.5]);
    expect([...draw(named('Identity', { gain: 2 }), [2, 3])]).toEqual([2, 0, 0, 0, 2, 0]);
    expect([...draw('zeros', [8], 'bias', 1, 'LSTM')]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  });

  test('Orthogonal gives orthonormal rows or columns', () => {
    for (const shape of [
      [4, 9],
      [9, 4],
    ] as const) {
      const matrix = tf.tensor2d(draw(named('Orthogonal'), shape), [...shape]);
      const wide = shape[0] < shape[1];
      const gram = tf.matMul(matrix, matrix, !wide, wide);
      expect(tf.max(tf.abs(tf.sub(gram, tf.eye(4)))).dataSync()[0]).toBeLessThan(1e-5);
    }
  });

  test('seed and name decide, nothing else', () => {
    const config = { name: 'a', kernel_initializer: named('HeNormal', { seed: 5 }) };
    const of = (name: string, seed: number) =>
      initialValues({ name, className: 'Dense', config, path: [name] }, `${name}/kernel`, [50], seed);
    expect(of('a', 1)).toEqual(of('a', 1));
    expect(of('a', 1)).not.toEqual(of('a', 2));
    expect(of('a', 1)).not.toEqual(of('b', 1));
  });

  test('an initialiser that Keras does not have is refused', () => {
    expect(() => draw(named('MyOwn'), [2])).toThrow(/initialiser of Keras for layer 'layer' \(Conv2D\), got 'my_own'/);
  });
});

describe('buildTrunk with a seed', () => {
  test('fills only the weights that the source lacks', async () => {
    await expectNoLeak(async () => {
      const source = tinyModel();
      const artefact = readLiveModel(source);
      const graph = parseTopology(artefact.topology);
      const trunk = await buildTrunk(
        graph,
        artefact.weights((name) => name.startsWith('conv1/')),
        { seed: 7 },
      );
      const again = await buildTrunk(graph, noWeights, { seed: 7 });
      const value = (weights: typeof trunk.weights, name: string) =>
        weights.find((each) => each.name === name)?.variable.dataSync();
      expect(value(trunk.weights, 'conv1/kernel')).toEqual(source.getLayer('conv1').getWeights()[0]?.dataSync());
      expect(value(trunk.weights, 'conv2/kernel')).toEqual(value(again.weights, 'conv2/kernel'));
      expect(value(trunk.weights, 'bn1/moving_variance')?.every((each) => each === 1)).toBe(true);
      expect(value(trunk.weights, 'bn1/moving_mean')?.every((each) => each === 0)).toBe(true);
      for (const each of [trunk, again, source]) each.dispose();
    });
  });

  test('without a seed missing weights are an error', async () => {
    const source = tinyModel();
    const graph = parseTopology(readLiveModel(source).topology);
    await expectNoLeak(async () => {
      await expect(buildTrunk(graph, noWeights)).rejects.toMatchObject({ code: 'WEIGHTS_MISMATCH' });
    });
    source.dispose();
  });
});
