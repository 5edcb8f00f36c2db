// tfjs's own format in a folder: layers as Keras 1, 2 and 3 name them, graphs, quantised weights, and what `save` writes.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { jsonBytes, takeOutputs, tensors, wave } from './values.js';

const goldenKeras = new URL('../../golden/keras/keras.json', import.meta.url);

export const layersModels = {
  name: 'layers model.json',
  share: 3,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const written = await writtenFiles((target) => tinyNetwork().save(target), api, folder);
    const v2 = { 'model.json': renamed(written, 'weights.bin'), 'weights.bin': written.shard };
    const v1 = { ...v2, 'model.json': asKeras1(v2['model.json']) };
    const seeds = [
      { name: 'Keras 2', files: v2 },
      { name: 'Keras 1', files: v1 },
      { name: 'Keras 3', files: keras3Files() },
      { name: 'quantised', files: quantised(v2) },
    ];
    return { seeds, tensors, read: readFolder(folder, async (path) => takeOutputs(await api.loadBase(path))) };
  },
};

export const graphModels = {
  name: 'graph model.json',
  share: 3,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const model = api.replaceHead(await api.loadBase(tinyNetwork()), { labels: ['a', 'b'] });
    const graph = await api.toGraphModel(model);
    const written = await writtenFiles((target) => graph.save(target), api, folder);
    const files = { 'model.json': renamed(written, 'group1-shard1of1.bin'), 'group1-shard1of1.bin': written.shard };
    graph.dispose();
    model.dispose();
    const seeds = [
      { name: 'graph', files },
      { name: 'quantised graph', files: quantised(files) },
    ];
    return { seeds, tensors, read: readFolder(folder, async (path) => takeOutputs(await api.loadBase(path))) };
  },
};

export const savedModels = {
  name: 'saved model',
  share: 2,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const seeds = [];
    for (const [name, head] of [
      ['classes', { labels: ['a', 'b'], hidden: [4] }],
      ['heads', { heads: { kind: { labels: ['a', 'b'] }, age: { task: 'regression' } } }],
    ]) {
      const model = api.replaceHead(await api.loadBase(tinyNetwork(), { preprocess: 'tf' }), head);
      const { json, shard, shardName } = await writtenFiles((target) => api.save(model, target), api, folder);
      // The name of the shard is its hash.
      seeds.push({ name, files: { 'model.json': json, [shardName]: shard }, ranges: { [shardName]: 'all' } });
      model.dispose();
    }
    const read = readFolder(folder, async (path, seed) => {
      const options = seed.name === 'heads' ? { task: { kind: 'classes', age: 'regression' } } : {};
      const model = await api.load(path, options);
      try {
        return JSON.stringify(await api.predict(model, picture));
      } finally {
        model.dispose();
      }
    });
    return { seeds, tensors, read };
  },
};

const picture = { width: 6, height: 6, data: new Uint8Array(108).map((_, i) => (i * 37) % 256) };

/** A convolution, BatchNorm, a residual addition and a classifier: 6 × 6 pixels. */
export function tinyNetwork() {
  const input = tfl.input({ shape: [6, 6, 3], name: 'picture' });
  const first = tfl.layers
    .conv2d({ name: 'conv1', filters: 4, kernelSize: 3, padding: 'same', useBias: false })
    .apply(input);
  const normal = tfl.layers.batchNormalization({ name: 'bn1' }).apply(first);
  const active = tfl.layers.reLU({ name: 'relu1', maxValue: 6 }).apply(normal);
  const second = tfl.layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, padding: 'same' }).apply(active);
  const sum = tfl.layers.add({ name: 'add' }).apply([active, second]);
  const pooled = tfl.layers.globalAveragePooling2d({ name: 'pool' }).apply(sum);
  const output = tfl.layers.dense({ name: 'classifier', units: 3, activation: 'softmax' }).apply(pooled);
  const network = tfl.model({ inputs: input, outputs: output, name: 'tiny' });
  tf.tidy(() => network.weights.forEach((weight, i) => weight.write(valueOf(weight, i))));
  return network;
}

/** The same on every machine; variances are above 0. */
function valueOf({ originalName, shape }, phase) {
  const around = /variance|gamma/.test(originalName) ? 1 : 0;
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    wave(size, phase).map((value) => value + around),
    shape,
  );
}

/** Files that something writes, read back. */
export async function writtenFiles(write, { fileSystem }, folder) {
  const place = join(folder, 'written');
  await write(fileSystem(place));
  const shardName = readdirSync(place).find((name) => name.endsWith('.bin'));
  const [json, shard] = ['model.json', shardName].map((name) => new Uint8Array(readFileSync(join(place, name))));
  rmSync(place, { recursive: true });
  return { json, shard, shardName };
}

/** The model.json with another name for its shard: one without a hash. */
export function renamed({ json, shardName }, name) {
  return Buffer.from(Buffer.from(json).toString().replace(shardName, name));
}

/** Puts the files into a folder that had others, and reads the folder. */
function readFolder(folder, read) {
  const place = join(folder, 'model');
  return async (files, seed) => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(place, name), bytes);
    return read(place, seed);
  };
}

/** As the converter wrote it years ago. */
function asKeras1(json) {
  const { modelTopology, weightsManifest } = JSON.parse(json);
  const { class_name: kind, config } = modelTopology;
  const older = {
    keras_version: '1.2.2',
    backend: 'tensorflow',
    model_config: { class_name: kind === 'Functional' ? 'Model' : kind, config },
  };
  return jsonBytes({ modelTopology: older, weightsManifest });
}

function keras3Files() {
  const { sequentialTopology } = JSON.parse(readFileSync(goldenKeras, 'utf8'));
  const shapes = {
    'conv2d/kernel': [3, 3, 4, 3],
    'conv2d/bias': [3],
    'conv2d_1/kernel': [1, 1, 3, 2],
    'conv2d_1/bias': [2],
    'dense/kernel': [8, 2],
    'dense/bias': [2],
  };
  const weights = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const size = Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return {
    'model.json': jsonBytes({
      modelTopology: { keras_version: '3.15.1', model_config: sequentialTopology },
      weightsManifest: [{ paths: ['weights.bin'], weights }],
    }),
    'weights.bin': new Uint8Array(wave(size).buffer),
  };
}

/** The same model with weights of one byte each. */
function quantised({ 'model.json': json, ...shards }) {
  const [[name, shard]] = Object.entries(shards);
  const content = JSON.parse(Buffer.from(json).toString());
  const parts = [];
  let at = 0;
  for (const weight of content.weightsManifest[0].weights) {
    const size = weight.shape.reduce((a, b) => a * b, 1);
    if (weight.dtype === 'float32') {
      weight.quantization = { dtype: 'uint8', scale: 0.01, min: -1, original_dtype: 'float32' };
      parts.push(Uint8Array.from({ length: size }, (_, i) => 90 + ((i * 7) % 40)));
    } else parts.push(shard.subarray(at, at + size * 4));
    at += size * 4;
  }
  return { 'model.json': jsonBytes(content), [name]: new Uint8Array(Buffer.concat(parts)) };
}
