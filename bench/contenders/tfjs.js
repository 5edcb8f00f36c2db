// TensorFlow.js as it comes: the same network as a LayersModel, `predict`, and `fit` where the backend can. One JSON
// object on standard output. On the cpu backend the runner asks for a single picture: it takes seconds.
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { bestOf, noisePictures, readTask, reportWorks, secondsOf } from './task.js';

const backend = process.env.BENCH_TFJS_BACKEND ?? 'wasm';
await startBackend();
const started = performance.now() / 1000;
const { fileSystem } = await import('transferkit/node'); // tfjs itself reads no files in Node
const task = readTask();
const { images, size, epochs, repeat, classes, batch: batchSize } = task;
const saved = fileSystem(join(task.files, 'saved'));

const works = {
  start: async () => ({ seconds: started }),
  load: async () => ({ seconds: await secondsOf(async () => (await layers.loadLayersModel(saved)).dispose()) }),
  extract: () => withNetwork((network, pictures) => extractAndFree(network, pictures)),
  headCached: () => withNetwork(fitHead),
  last: () => withNetwork((network, pictures) => fitFrom(task.lastBlocks, network, pictures)),
  full: () => withNetwork((network, pictures) => fitFrom(network.layers[0].name, network, pictures)),
};
await reportWorks({ name: `tfjs on ${backend}`, version: tf.version_core, threads: 1 }, works, task.work.split(','));

async function startBackend() {
  if (backend === 'wasm') {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
  }
  await tf.setBackend(backend);
  await tf.ready();
}

/** Times something with the saved network up to its pooled features, and noise for it. */
async function withNetwork(run) {
  const whole = await layers.loadLayersModel(saved);
  const pooled = whole.layers.findLast((layer) => layer.getClassName() === 'GlobalAveragePooling2D');
  const network = layers.model({ inputs: whole.inputs, outputs: pooled.output });
  const pictures = noisePictures(images, size);
  try {
    return { seconds: await bestOf(repeat, () => secondsOf(() => run(network, pictures))), images };
  } finally {
    whole.dispose();
  }
}

async function extract(network, pictures) {
  const input = toTensor(pictures);
  const features = network.predict(input, { batchSize });
  await features.data();
  input.dispose();
  return features;
}

async function extractAndFree(network, pictures) {
  const features = await extract(network, pictures);
  features.dispose();
}

/** Features once, then a dense layer on them: what a careful user of tfjs writes. */
async function fitHead(network, pictures) {
  const features = await extract(network, pictures);
  const head = layers.sequential();
  head.add(layers.layers.dense({ units: classes, activation: 'softmax', inputShape: features.shape.slice(1) }));
  await fit(head, features, labelsOf(pictures), epochs);
  head.dispose();
}

async function fitFrom(first, network, pictures) {
  const index = network.layers.findIndex(({ name }) => name === first);
  network.layers.forEach((layer, i) => (layer.trainable = i >= index));
  const dense = layers.layers.dense({ units: classes, activation: 'softmax' });
  const model = layers.model({ inputs: network.inputs, outputs: dense.apply(network.outputs[0]) });
  // The wasm backend lacks the gradients: one picture is enough to hear it say so.
  const some = backend === 'wasm' ? pictures.slice(0, 1) : pictures;
  await fit(model, toTensor(some), labelsOf(some), 1);
}

async function fit(model, x, y, epochCount) {
  model.compile({ optimizer: tf.train.adam(1e-4), loss: 'categoricalCrossentropy' });
  await model.fit(x, y, { batchSize, epochs: epochCount, verbose: 0 });
  tf.dispose([x, y]);
}

function toTensor(pictures) {
  return tf.tidy(() => tf.stack(pictures.map((picture) => tf.tensor(picture, [size, size, 3]))));
}

function labelsOf(pictures) {
  const indices = pictures.map((_, i) => i % classes);
  return tf.tidy(() => tf.oneHot(tf.tensor1d(indices, 'int32'), classes));
}
