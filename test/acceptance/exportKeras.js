// Presets and layers of every kind in Keras: exported, opened and run there. After npm run build:
// KERAS=<python with keras> node test/acceptance/exportKeras.js
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { constraints, initializers, layers, model as makeModel, regularizers } from '@tensorflow/tfjs-layers';
import { exportModel, loadBase, predict, replaceHead, useBackend } from 'transferkit';

const { KERAS: python } = process.env;
if (python === undefined) {
  console.log('KERAS is not set: nothing was checked.');
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'transferkit-keras-'));
await useBackend();

// The first of each family; weights are drawn.
const presets = [
  ...['vgg16', 'resnet50', 'resnet50v2', 'mobilenet', 'mobilenet_v2', 'mobilenet_v3_small', 'densenet121'],
  ...['inception_v3', 'inception_resnet_v2', 'xception', 'nasnet_mobile', 'efficientnet_b0', 'efficientnet_v2_b0'],
  'convnext_tiny',
];
for (const name of presets) {
  const inputSize = /inception|xception/.test(name) ? 139 : 64;
  const base = await loadBase(name, { weights: null, seed: 3, inputSize, preprocess: { kind: 'tensor' } });
  await write(name, replaceHead(base, { task: 'regression', outputs: ['x', 'y'] }));
}
await write('layers', await layersOfAllKinds());
try {
  execFileSync(python, [fileURLToPath(new URL('exportKeras.py', import.meta.url)), folder], {
    stdio: ['ignore', 'inherit', 'ignore'],
  });
} catch {
  process.exitCode = 1;
}
rmSync(folder, { recursive: true });

/** Writes a model, an input, and what the model gives for it. */
async function write(name, model) {
  await exportModel(model, join(folder, `${name}.keras`), { format: 'keras' });
  const shape = model.base.trunk.input.shape.slice(1);
  const input = tf.randomUniform([2, ...shape], -1, 1, 'float32', 1);
  const values = input.dataSync();
  const each = values.length / 2;
  const answers = await predict(
    model,
    [0, 1].map((row) => tf.tensor(values.slice(row * each, (row + 1) * each), shape)),
  );
  const heads = typeof model.task === 'string' ? [undefined] : Object.keys(model.task);
  const outputs = heads.map((head) =>
    answers.map((answer) => {
      const own = head === undefined ? answer : answer[head];
      const labels = head === undefined ? model.labels : model.labels[head];
      return labels.map((label) => {
        const found = own.find((one) => (one.label ?? one.output) === label);
        return found.value ?? found.probability;
      });
    }),
  );
  writeFileSync(join(folder, `${name}.bin`), new Uint8Array(values.slice().buffer));
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ shape: input.shape, outputs }));
  model.dispose();
}

/** What presets do not have, with names that Keras does not take, and several heads. */
async function layersOfAllKinds() {
  const then = (x, layer) => layer.apply(x);
  const input = layers.input({ shape: [12, 12, 3] });
  const rules = {
    kernelRegularizer: regularizers.l1l2({ l1: 0.1, l2: 0.2 }),
    kernelInitializer: initializers.leCunNormal({ seed: 1 }),
    kernelConstraint: constraints.maxNorm({ maxValue: 2 }),
  };
  const pictures = [
    layers.conv2d({
      filters: 6,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      activation: 'selu',
      name: 'a/b',
      ...rules,
    }),
    layers.separableConv2d({ filters: 8, kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
    layers.leakyReLU({ alpha: 0.1 }),
    layers.prelu({ sharedAxes: [1, 2], alphaInitializer: initializers.constant({ value: 0.3 }) }),
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'elu' }),
    layers.layerNormalization({ axis: -1 }),
    layers.upSampling2d({ size: [2, 2] }),
    layers.cropping2D({ cropping: [[1, 1], [0, 2]] }), // prettier-ignore
    layers.conv2dTranspose({ filters: 5, kernelSize: 2, strides: 2 }),
    layers.averagePooling2d({ poolSize: 2, padding: 'same' }),
  ].reduce(then, input);
  const shared = layers.dense({ units: 7, activation: 'tanh', name: 'shared' });
  const pair = [shared.apply(pictures), shared.apply(layers.dropout({ rate: 0.3 }).apply(pictures))];
  const joined = layers
    .concatenate({ axis: 3 })
    .apply([layers.average().apply(pair), layers.maximum().apply(pair), layers.multiply().apply(pair)]);
  const features = [
    layers.permute({ dims: [2, 1, 3] }),
    layers.reshape({ targetShape: [-1, 21] }),
    layers.conv1d({ filters: 9, kernelSize: 3, padding: 'same', activation: 'softplus' }),
    layers.maxPooling1d({ poolSize: 2 }),
    layers.gaussianNoise({ stddev: 0.1 }),
    layers.globalAveragePooling1d(),
    layers.repeatVector({ n: 2 }),
    layers.flatten(),
    layers.batchNormalization({ momentum: 0.9 }),
    layers.softmax({ name: 'cut' }),
  ].reduce(then, joined);
  const output = layers.dense({ units: 2, activation: 'softmax' }).apply(features);
  const network = makeModel({ inputs: input, outputs: output, name: 'odd name/😀' });
  const base = await loadBase(network, { cut: 'cut' });
  network.dispose();
  return replaceHead(base, {
    dropout: 0.2,
    heads: {
      'my-kind': { labels: ['a', 'b', 'c'], hidden: [4] },
      size: { task: 'regression', outputs: ['x', 'y'] },
      tags: { task: 'multiLabel', labels: ['q', 'r'] },
    },
  });
}
