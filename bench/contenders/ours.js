// This library, by its public verbs alone. One JSON object on standard output.
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { fineTune, fromArrays, loadBase, replaceHead, trainHead, useBackend } from 'transferkit';
import { imageFolder } from 'transferkit/node';
import { bestOf, labelOf, noisePictures, readTask, reportWorks, secondsOf } from './task.js';

const task = readTask();
const { name: backend, threads } = await useBackend(undefined, { threads: task.threads, engine: task.engine });
/** Since the process began: Node itself, the packages, the backend. */
const started = performance.now() / 1000;
/** A function of one relaxed instruction, which engines without relaxed SIMD refuse. */
const relaxedModule = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
];
const { arch, images, size, epochs, repeat, classes, batch: batchSize, lastBlocks } = task;

await reportWorks(
  { name: `transferkit on ${backend}${extras()}`, version: process.version, threads },
  worksOf(),
  task.work.split(','),
);

function worksOf() {
  return {
    start: async () => ({ seconds: started }),
    product: async () => ({ seconds: await bestOf(3 * repeat, productSeconds) }),
    load: async () => ({ seconds: await secondsOf(() => loadAndFree(join(task.files, 'saved'))) }),
    loadPreset: async () => ({
      seconds: await secondsOf(() => loadAndFree(arch, join(task.files, 'keras.weights.h5'))),
    }),
    extract: () => withModel((model, samples) => bestOf(repeat, () => featureSeconds(model, samples))),
    head: () => withModel((model, samples) => bestOf(repeat, () => headSeconds(model, samples))),
    last: () => withModel((model, samples) => epochSeconds(model, samples, { from: lastBlocks })),
    lastWhole: () => withModel((model, samples) => bestOf(repeat, () => lastBlocksSeconds(model, samples))),
    full: () => withModel((model, samples) => epochSeconds(model, samples, 'base')),
    folder,
  };
}

/** What else computes. */
function extras() {
  const relaxed = WebAssembly.validate(Uint8Array.from(relaxedModule)) ? ' with relaxed SIMD' : '';
  return `${relaxed}${task.engine === 'own' ? '' : `, ${task.engine}`}`;
}

/** A product of two matrices of 1024 rows and columns: 2.15 billion operations, and the limit of every convolution. */
async function productSeconds() {
  const [a, b] = [tf.ones([1024, 1024]), tf.ones([1024, 1024])];
  const seconds = await secondsOf(() => tf.matMul(a, b).dispose());
  tf.dispose([a, b]);
  return seconds;
}

async function loadAndFree(source, weights) {
  const base = await loadBase(source, weights === undefined ? {} : { weights });
  base.dispose();
}

/** A fresh model for each work: what one unfroze must not slow down the next. */
async function withModel(work) {
  const pictures = noisePictures(images, size);
  const samples = fromArrays({ inputs: pictures, targets: pictures.map((_, i) => labelOf(i, classes)) });
  const model = await makeModel({ preprocess: { kind: 'tensor' } }, samples.labels);
  const seconds = await work(model, samples);
  model.dispose();
  return { seconds, images };
}

async function makeModel(options, labels) {
  const base = await loadBase(arch, { inputSize: size, weights: null, ...options });
  return replaceHead(base, { labels, dropout: 0 });
}

/** From the call of trainHead until the features of every example are there. */
async function featureSeconds(model, samples) {
  const start = performance.now();
  let seconds;
  const onProgress = ({ phase, done, total }) => {
    if (phase === 'features' && done === total) seconds ??= (performance.now() - start) / 1000;
  };
  await trainHead(model, samples, { epochs: 1, batchSize, onProgress });
  return seconds;
}

function headSeconds(model, samples) {
  return secondsOf(() => trainHead(model, samples, { epochs, batchSize, learningRate: 1e-4 }));
}

/** One more epoch: the fastest but the first, in which the frozen front has been computed already. */
async function epochSeconds(model, samples, unfreeze) {
  const log = await fineTune(model, samples, {
    unfreeze,
    epochs: 1 + repeat,
    batchSize,
    headEpochs: 0,
    validation: false,
  });
  return Math.min(...log.epochs.slice(1).map(({ seconds }) => seconds));
}

/** A whole call for one epoch of the last blocks, with the pass through the frozen front. */
function lastBlocksSeconds(model, samples) {
  const options = { unfreeze: { from: lastBlocks }, epochs: 1, batchSize, headEpochs: 0, validation: false };
  return secondsOf(() => fineTune(model, samples, options));
}

/** Features of a folder of JPEGs; and of the same pictures when they already are numbers in memory, in turns. */
async function folder() {
  const files = await imageFolder(join(task.files, '..', 'pictures'));
  const fromFiles = await makeModel({}, files.labels);
  const fromMemory = await makeModel({ preprocess: { kind: 'tensor' } }, files.labels);
  const numbers = await decodeAll(files, fromFiles.base.preprocessor);
  let [seconds, network] = [Infinity, Infinity];
  for (let i = 0; i <= repeat; i++) {
    const found = [await featureSeconds(fromMemory, numbers), await featureSeconds(fromFiles, files)];
    if (i > 0) [network, seconds] = [Math.min(network, found[0]), Math.min(seconds, found[1])];
  }
  fromFiles.dispose();
  fromMemory.dispose();
  return { seconds, network, images: files.size };
}

async function decodeAll(files, preprocessor) {
  const inputs = [];
  const targets = [];
  for (let i = 0; i < files.size; i++) {
    const { input, target } = await files.read(i);
    const tensor = await preprocessor.apply(input);
    inputs.push(Float32Array.from(await tensor.data()));
    targets.push(target);
    tensor.dispose();
  }
  return fromArrays({ inputs, targets, labels: files.labels });
}
