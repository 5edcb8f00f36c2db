// Networks of a few layers each, for comparing layers computed together with the same layers one by one. Runs in pages
// too.
import * as tf from '@tensorflow/tfjs-core';
import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import type { LayersTrunk } from '../../src/core/types.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { readLiveModel } from '../../src/formats/tfjs/liveModel.ts';
import { setWeights, wave } from './tinyModel.ts';

interface Applicable {
  apply(x: SymbolicTensor | SymbolicTensor[]): unknown;
}

/** A trunk of layers that follow each other, with seeded weights. */
export async function chain(list: readonly unknown[], shape: readonly number[] = [9, 8, 6]): Promise<LayersTrunk> {
  const input = layers.input({ shape: [...shape] });
  const output = list.reduce<SymbolicTensor>((x, layer) => (layer as Applicable).apply(x) as SymbolicTensor, input);
  return trunkOf(model({ inputs: input, outputs: output }));
}

/** A trunk of a model, which is given seeded weights and freed. */
export async function trunkOf(source: LayersModel): Promise<LayersTrunk> {
  setWeights(source);
  const artefact = readLiveModel(source);
  const trunk = await buildTrunk(
    parseTopology(artefact.topology),
    artefact.weights(() => true),
  );
  source.dispose();
  return trunk;
}

/** Value and gradients of `Σ trunk(x) · w` by the names of the weights, and `x`. */
export function gradients(trunk: LayersTrunk, x: tf.Tensor, fused: boolean): Record<string, tf.Tensor> {
  const moving = trunk.weights.filter(({ kind }) => kind !== 'statistics');
  const input = tf.variable(x);
  try {
    const { value, grads } = tf.variableGrads(() => {
      const y = trunk.run(input, { fused });
      return tf.sum<tf.Scalar>(tf.mul(y, wave(y.shape, 1, 0.4)));
    }, [input, ...moving.map(({ variable }) => variable)]);
    const byName = moving.map(({ name, variable }) => [name, grads[variable.name]!] as const);
    return { value, x: grads[input.name]!, ...Object.fromEntries(byName) };
  } finally {
    input.dispose();
  }
}

/**
 * Largest differences between layers together and one by one, each relative to the largest value: of the output, of the
 * gradients by every weight and by `x`. Disposes the trunk.
 *
 * @param size - Of the largest input. By default large enough for relu6 to cut some off.
 */
export function differences(trunk: LayersTrunk, shape: readonly number[], size = 5): Record<string, number> {
  return tf.tidy(() => {
    const x = wave([2, ...shape], size, 0.3);
    const together = { y: trunk.run(x), ...gradients(trunk, x, true) };
    const oneByOne = { y: trunk.run(x, { fused: false }), ...gradients(trunk, x, false) };
    trunk.dispose();
    const found = new Map(Object.entries(together));
    return Object.fromEntries(
      Object.entries(oneByOne).map(([name, expected]) => [name, distance(found.get(name)!, expected)]),
    );
  });
}

/**
 * Largest difference of two tensors, relative to the largest expected value. Computed here and not by the backend: a
 * GPU compiles a program for every operation and shape, which takes longer than all else.
 */
export function distance(actual: tf.Tensor, expected: tf.Tensor): number {
  const [values, expectedValues] = [actual.dataSync(), expected.dataSync()];
  const largest = (of: Float32Array) => of.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const differences = Float32Array.from(expectedValues, (value, i) => (values[i] ?? NaN) - value);
  return largest(differences) / Math.max(largest(Float32Array.from(expectedValues)), 1e-12);
}

export const norm = (config: object = {}) => layers.batchNormalization({ name: 'norm', ...config });
export const conv = (config: object = {}) => layers.conv2d({ name: 'conv', filters: 5, kernelSize: 3, ...config });
const relu6 = () => layers.reLU({ name: 'relu', maxValue: 6 });
export const relu = () => layers.activation({ name: 'relu', activation: 'relu' });
const pad = (padding: unknown) => layers.zeroPadding2d({ padding: padding as [number, number] });

/** Layers that follow each other. */
export interface Chain {
  readonly list: () => readonly unknown[];
  /** Of one example. Default [9, 8, 6]. */
  readonly shape?: readonly number[];
  /** Fused kernels that a run takes. */
  readonly kernels: number;
}

/** By what they hold. */
export const chains: Readonly<Record<string, Chain>> = {
  'convolution, BatchNorm, relu6': { list: () => [conv({ padding: 'same' }), norm(), relu6()], kernels: 1 },
  'convolution without bias, BatchNorm without gamma, relu': {
    list: () => [conv({ useBias: false, strides: 2 }), norm({ scale: false }), relu()],
    kernels: 1,
  },
  'BatchNorm without beta, no activation': { list: () => [conv(), norm({ center: false })], kernels: 1 },
  'convolution with an activation of its own': { list: () => [conv({ activation: 'relu' })], kernels: 1 },
  'convolution alone': { list: () => [conv({ kernelSize: [1, 2] })], kernels: 1 },
  'padding in front, even and uneven': {
    list: () => [
      pad(1),
      conv({ strides: 2 }),
      norm(),
      relu(),
      pad([
        [0, 1],
        [2, 1],
      ]),
      layers.conv2d({ filters: 3, kernelSize: 2 }),
    ],
    kernels: 2,
  },
  'depthwise convolution with padding in front': {
    list: () => [
      pad([
        [0, 1],
        [0, 1],
      ]),
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2 }),
      norm(),
      relu6(),
    ],
    kernels: 1,
  },
  'depthwise convolution with several outputs a channel': {
    list: () => [layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }), norm(), relu()],
    kernels: 1,
  },
  'separable convolution': {
    list: () => [layers.separableConv2d({ filters: 4, kernelSize: 3, padding: 'same' }), norm(), relu()],
    kernels: 2,
  },
  'convolution over time': {
    list: () => [layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }), norm(), relu()],
    shape: [9, 6],
    kernels: 1,
  },
  'dense layer': { list: () => [layers.dense({ units: 4 }), norm(), relu()], shape: [6], kernels: 1 },
  'dense layer on maps': { list: () => [layers.dense({ units: 4, activation: 'relu' })], kernels: 1 },
  'BatchNorm in front of a convolution': {
    list: () => [norm(), relu(), conv(), layers.batchNormalization({}), layers.activation({ activation: 'sigmoid' })],
    kernels: 2,
  },
  'BatchNorm of vectors': { list: () => [norm(), relu()], shape: [6], kernels: 1 },
  'BatchNorm over another axis': { list: () => [conv({ useBias: false }), norm({ axis: 1 }), relu()], kernels: 1 },
  'other activations stay apart': {
    list: () => [conv(), norm(), layers.elu(), layers.conv2d({ filters: 3, kernelSize: 1, activation: 'tanh' })],
    kernels: 1,
  },
};
