// Acceptance on real weights and real pictures: prints and checks figures that are known from outside. Run it with
// TRANSFERKIT_DATA=<folder> npm run acceptance; without that folder it says so and checks nothing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {
  evaluate,
  fineTune,
  fromArrays,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  useBackend,
} from 'transferkit';
import { fileSystem, imageFolder } from 'transferkit/node';

const data = process.env.TRANSFERKIT_DATA;
if (data === undefined) {
  console.log('TRANSFERKIT_DATA is not set: nothing was checked.');
  process.exit(0);
}
const weights = (name) => join(data, 'weights', name);
const images = (name) => join(data, 'images', name);
let failures = 0;

/** Prints one figure and whether it is good enough. */
function check(what, passed, found) {
  if (!passed) failures++;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}: ${found}`);
}

await useBackend();
await imagenet(
  'MobileNetV1 0.25',
  'mobilenet_v1_0.25_224/mobilenet_model.json',
  { cut: 'act_softmax', preprocess: 'tf' },
  { top1: 0.52, top5: 0.75 },
);
await imagenet(
  'TF Hub MobileNetV1 0.25',
  'tfhub_mobilenet_v1_025_224',
  { cut: 'module_apply_default/MobilenetV1/Logits/SpatialSqueeze', preprocess: 'unit' },
  { top1: 0.52, top5: 0.75, background: 1 },
);
await tfHub();
await kerasFiles();
await keras3();
const { model } = await clothing(
  'MobileNetV2 0.35',
  'mobilenet_v2_0.35_224_no_top',
  { preprocess: 'tf' },
  {
    onTest: 0.79,
    training: { epochs: 10 },
    tuning: { unfreeze: { from: 'block_14_expand' }, epochs: 5 },
  },
);
model.dispose();
await teachableMachine();
await oddFiles();
console.log(failures === 0 ? 'all accepted' : `${failures} not accepted`);
process.exitCode = failures === 0 ? 0 : 1;

/** A network with its own classifier: our reading, resizing and scaling against ImageNet's labels. */
async function imagenet(name, source, options, { top1, top5, background = 0 }) {
  const pictures = JSON.parse(readFileSync(images('imagenet_100/labels.json'), 'utf8'));
  const base = await loadBase(weights(source), options);
  const ranks = [];
  for (const { file, index } of pictures) {
    const input = await base.preprocessor.apply(images(`imagenet_100/${file}`));
    const batch = tf.expandDims(input);
    const output = base.trunk.run(batch);
    const scores = await output.data();
    ranks.push(scores.filter((score) => score > scores[index + background]).length);
    for (const tensor of [input, batch, output]) tensor.dispose();
  }
  base.dispose();
  const top = (k) => ranks.filter((rank) => rank < k).length / ranks.length;
  check(`imagenet_100, top-1 of ${name} (≥ ${top1})`, top(1) >= top1, top(1));
  check(`imagenet_100, top-5 of ${name} (≥ ${top5})`, top(5) >= top5, top(5));
}

/** The Keras guide's task: head on the frozen base, then its last blocks. */
async function clothing(name, source, base, { onTest: wanted, head, training, tuning }) {
  const folder = await imageFolder(images('clothing'));
  const [train, validation, test] = ['train', 'validation', 'test'].map((part) => folder.part(part));
  const model = replaceHead(await loadBase(weights(source), base), { labels: train.labels, ...head });
  const log = await trainHead(model, train, training);
  const afterHead = (await evaluate(model, validation)).accuracy;
  const onTest = (await evaluate(model, test)).accuracy;
  check(
    `clothing, ${name}: test accuracy of the head after ${seconds(log)} (≥ ${wanted})`,
    onTest >= wanted,
    onTest.toFixed(4),
  );
  const tuned = await fineTune(model, train, tuning);
  const afterTuning = (await evaluate(model, validation)).accuracy;
  check(
    `clothing, ${name}: validation accuracy rises by fine-tuning the last blocks in ${seconds(tuned)}`,
    afterTuning > afterHead,
    `${afterHead.toFixed(4)} → ${afterTuning.toFixed(4)}`,
  );
  console.log(`     test accuracy after fine-tuning: ${(await evaluate(model, test)).accuracy.toFixed(4)}`);
  return { model, test };
}

/** A GraphModel of TF Hub, trained, saved, and loaded by plain tfjs. */
async function tfHub() {
  const layer = (name) => `module_apply_default/MobilenetV1/MobilenetV1/${name}`;
  const base = { preprocess: 'unit', cut: layer('Conv2d_13_depthwise/Relu6') };
  const { model, test } = await clothing('TF Hub MobileNetV1 0.25', 'tfhub_mobilenet_v1_025_224', base, {
    onTest: 0.8,
    // A linear head on averaged features stays below .78 here, by scikit-learn's optimum too; places tell clothes apart.
    head: { pooling: 'flatten', dropout: 0.5 },
    training: { epochs: 15 },
    tuning: {
      unfreeze: { from: layer('Conv2d_11_depthwise') },
      epochs: 8,
      learningRate: { base: 1e-4, head: 1e-5 },
      schedule: 'cosine',
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'transferkit-'));
  await save(model, fileSystem(folder));
  const plain = await loadGraphModel(fileSystem(folder));
  const input = await model.base.preprocessor.apply((await test.read(0)).input);
  const batch = tf.expandDims(input);
  const [, probabilities] = plain.execute(batch);
  const found = Array.from(await probabilities.data());
  const wanted = await predict(model, (await test.read(0)).input, { topK: model.labels.length });
  const largest = Math.max(
    ...wanted.map(({ label, probability }) => Math.abs(found[model.labels.indexOf(label)] - probability)),
  );
  check('TF Hub model, saved and loaded by tf.loadGraphModel: the same numbers', largest < 1e-6, largest);
  rmSync(folder, { recursive: true });
  plain.dispose();
  model.dispose();
}

/** Files that Keras wrote: weights into a preset, bit for bit; whole models, as Keras runs them. */
async function kerasFiles() {
  const preset = await loadBase('mobilenet', {
    alpha: 0.25,
    weights: weights('keras_h5/mobilenet_2_5_224_tf_no_top.h5'),
  });
  const source = weights('mobilenet_v1_0.25_224/mobilenet_model.json');
  const converted = await loadBase(source, { cut: 'conv_pw_13_relu', preprocess: 'tf' });
  const values = new Map(preset.trunk.weights.map(({ name, variable }) => [name, variable.dataSync()]));
  const differing = converted.trunk.weights.filter(({ name, variable }) => {
    const found = values.get(name);
    return found === undefined || !variable.dataSync().every((value, i) => Object.is(value, found[i]));
  });
  const all = `${converted.trunk.weights.length - differing.length} of ${converted.trunk.weights.length} weights`;
  check('mobilenet_2_5_224_tf_no_top.h5 in the preset, bit for bit', differing.length === 0, all);
  preset.dispose();
  converted.dispose();

  const golden = JSON.parse(readFileSync(new URL('../golden/mlperfTiny.json', import.meta.url), 'utf8'));
  for (const [name, { size, divisor, output }] of Object.entries(golden)) {
    const model = await loadBase(weights(`mlperf_tiny/${name}.h5`), { cut: 'dense' });
    const pixels = Float32Array.from({ length: size * size * 3 }, (_, i) => {
      const [row, column, channel] = [Math.floor(i / (3 * size)), Math.floor(i / 3) % size, i % 3];
      return ((row * 31 + column * 17 + channel * 7) % 256) / divisor;
    });
    const input = tf.tensor(pixels, [1, size, size, 3]);
    const found = Array.from(model.trunk.run(input).dataSync());
    const error = Math.max(...output.map((value, i) => Math.abs(value - found[i])));
    check(`${name}.h5 predicts as Keras does (1e-5)`, error < 1e-5 && found.length === output.length, error);
    input.dispose();
    model.dispose();
  }
}

/** A Keras 3 export, which plain tfjs cannot load, holds the same backbone as the Keras 2 one. */
async function keras3() {
  const exported = await loadBase(weights('keras3_mobilenet_v2_0.35'), { cut: 'out_relu' });
  const backbone = await loadBase(weights('mobilenet_v2_0.35_224_no_top'));
  const input = tf.randomUniform([2, 224, 224, 3], -1, 1, 'float32', 1);
  const [found, expected] = [exported, backbone].map(({ trunk }) => trunk.run(input).dataSync());
  const error = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  check('keras3_mobilenet_v2_0.35, its backbone against the Keras 2 export (1e-5)', error < 1e-5, error);
  exported.dispose();
  backbone.dispose();
}

/** A Teachable Machine export loads, is cut before its classifier, and learns other classes. */
async function teachableMachine() {
  const base = await loadBase(weights('teachablemachine_export'), { preprocess: 'tf' });
  check('teachablemachine_export, cut', base.cut === 'out_relu', base.cut);
  const folder = await imageFolder(images('flowers12'));
  const flowers = folder.labels.slice(0, 4);
  const some = await Promise.all(['train', 'test'].map((part) => choose(folder.part(part), flowers)));
  const model = replaceHead(base, { labels: flowers });
  await trainHead(model, some[0], { epochs: 10 });
  const { accuracy } = await evaluate(model, some[1]);
  check(`teachablemachine_export, retrained on ${flowers.join(', ')} (≥ .9)`, accuracy >= 0.9, accuracy.toFixed(3));
  const [best] = await predict(model, (await some[1].read(0)).input, { topK: 1 });
  console.log(`     ${some[1].size} test pictures; the first is ${some[1].target(0)}, predicted ${best.label}`);
  model.dispose();
}

/** The samples of some labels. */
async function choose(samples, labels) {
  const all = await Promise.all(Array.from({ length: samples.size }, (_, index) => samples.read(index)));
  const chosen = all.filter(({ target }) => labels.includes(target));
  return fromArrays({ inputs: chosen.map(({ input }) => input), targets: chosen.map(({ target }) => target) });
}

/** A folder as people have them: exactly the broken files are listed. */
async function oddFiles() {
  const samples = await imageFolder(images('odd'), { onUnreadable: 'skip' });
  const base = await loadBase(weights('mobilenet_v2_0.35_224_no_top'), { preprocess: 'tf' });
  const model = replaceHead(base, { labels: samples.labels });
  const { skipped, examples } = await trainHead(model, samples, { epochs: 1 });
  const expected = ['happy/garbage.png', 'sad/empty.jpg', 'sad/truncated.jpg'];
  const found = skipped.map(({ id }) => id);
  check(
    'odd, unreadable files',
    found.join() === expected.join() && examples === 10,
    `${found.join(', ')}; ${examples} read`,
  );
  check('odd, ignored files', samples.ignored.files.length === 2, samples.ignored.files.join(', '));
  model.dispose();
}

function seconds(log) {
  return `${log.seconds.toFixed(0)} s`;
}
