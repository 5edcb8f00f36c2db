// A small pretrained network with everything that makes transfer learning hard: BatchNorm with statistics that are not
// 0 and 1, one without gamma, a residual block, a depthwise convolution, dropout inside, a classifier on top.
import * as tf from '@tensorflow/tfjs-core';
import { randomGenerator } from '../../src/core/random.ts';
import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Values drawn by a formula, the same on every machine: `scale * sin(phase + index)`. */
export function wave(shape: readonly number[], scale: number, phase: number, offset = 0): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => offset + scale * Math.sin(phase + i * 1.7)),
    [...shape],
  );
}

/** Gives every weight of a model seeded values that keep activations in range; variances and gammas lie around 1. */
export function setWeights(target: LayersModel): void {
  const random = randomGenerator(7);
  for (const weight of target.weights) {
    const shape = shapeOf(weight.shape);
    const isAroundOne = /(moving_variance|gamma)$/.test(weight.originalName);
    const isDepthwise = weight.originalName.endsWith('depthwise_kernel');
    const fanIn = shape.slice(0, isDepthwise ? 2 : -1).reduce((a, b) => a * b, 1);
    const scale = isAroundOne ? 0.4 : 2.4 / Math.sqrt(Math.max(fanIn, 4));
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * scale * (random() - 0.5));
    const value = tf.tensor(isAroundOne ? values.map((each) => 1 + each) : values, shape);
    weight.write(value);
    value.dispose();
  }
}

/** A classifier of 5 classes on [size, size, 3]. */
export function tinyModel(size = 16): LayersModel {
  const apply = (
    layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown },
    x: SymbolicTensor | SymbolicTensor[],
  ) => layer.apply(x) as SymbolicTensor;
  const input = layers.input({ shape: [size, size, 3], name: 'picture' });
  let x = apply(
    layers.conv2d({ name: 'conv1', filters: 8, kernelSize: 3, strides: 2, padding: 'same', useBias: false }),
    input,
  );
  x = apply(layers.batchNormalization({ name: 'bn1' }), x);
  const entry = apply(layers.reLU({ name: 'relu1', maxValue: 6 }), x);
  x = apply(
    layers.conv2d({ name: 'block_1_expand', filters: 16, kernelSize: 1, useBias: false, activation: 'relu' }),
    entry,
  );
  x = apply(layers.depthwiseConv2d({ name: 'block_1_depthwise', kernelSize: 3, padding: 'same', useBias: false }), x);
  x = apply(layers.batchNormalization({ name: 'block_1_bn' }), x);
  x = apply(layers.conv2d({ name: 'block_1_project', filters: 8, kernelSize: 1 }), x);
  x = apply(layers.add({ name: 'block_1_add' }), [entry, x]);
  x = apply(layers.maxPooling2d({ name: 'pool', poolSize: 2 }), x);
  x = apply(layers.dropout({ name: 'drop', rate: 0.5 }), x);
  x = apply(layers.conv2d({ name: 'conv2', filters: 12, kernelSize: 3, padding: 'same' }), x);
  x = apply(layers.batchNormalization({ name: 'bn2', scale: false }), x);
  x = apply(layers.activation({ name: 'relu2', activation: 'relu' }), x);
  x = apply(layers.globalAveragePooling2d({ name: 'gap' }), x);
  x = apply(layers.dense({ name: 'classifier', units: 5, activation: 'softmax' }), x);
  const built = model({ inputs: input, outputs: x, name: 'tiny' });
  setWeights(built);
  return built;
}

function shapeOf(shape: readonly (number | null)[]): number[] {
  return shape.map((axis) => axis ?? 1);
}
