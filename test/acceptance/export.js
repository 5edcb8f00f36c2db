// Exported models in the programs that they are for: ONNX Runtime and Keras, on real weights and pictures. Run it with
// TRANSFERKIT_DATA=<folder> ONNXRUNTIME=<folder of onnxruntime-node> KERAS=<python with keras>, after npm run build:
// node test/acceptance/export.js
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import {
  evaluate,
  exportModel,
  fineTune,
  load,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  useBackend,
  writeBase,
} from 'transferkit';
import { imageFolder } from 'transferkit/node';

const { TRANSFERKIT_DATA: data, ONNXRUNTIME: runtime, KERAS: python } = process.env;
if (data === undefined || runtime === undefined || python === undefined) {
  console.log('TRANSFERKIT_DATA, ONNXRUNTIME and KERAS are not all set: nothing was checked.');
  process.exit(0);
}
const ort = createRequire(import.meta.url)(runtime);
const folder = mkdtempSync(join(tmpdir(), 'transferkit-export-'));
const place = (name) => join(folder, name);
let failures = 0;

/** Prints one figure and whether it is good enough. */
function check(what, passed, found) {
  if (!passed) failures++;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}: ${found}`);
}

await useBackend();
const clothing = await imageFolder(join(data, 'images/clothing'));
const [train, test] = ['train', 'test'].map((part) => clothing.part(part));
const some = [...Array(20).keys()].map((index) => Math.floor((index * test.size) / 20));

const preset = await loadBase('mobilenet', {
  alpha: 0.25,
  weights: join(data, 'weights/keras_h5/mobilenet_2_5_224_tf_no_top.h5'),
});
const onPreset = await tuned('MobileNet 0.25', preset, {}, { unfreeze: { from: 'conv_dw_12' } });
await onnx('MobileNet 0.25', onPreset);
await graphModel('MobileNet 0.25', onPreset);
await keras('MobileNet 0.25', onPreset);
await smallBase('MobileNet 0.25', onPreset);
onPreset.dispose();

const layer = (name) => `module_apply_default/MobilenetV1/MobilenetV1/${name}`;
const hub = await loadBase(join(data, 'weights/tfhub_mobilenet_v1_025_224'), {
  preprocess: 'unit',
  cut: layer('Conv2d_13_depthwise/Relu6'),
});
const unfreeze = { from: layer('Conv2d_11_depthwise') };
const onHub = await tuned('TF Hub MobileNetV1 0.25', hub, { pooling: 'flatten', dropout: 0.5 }, { unfreeze });
await onnx('TF Hub MobileNetV1 0.25', onHub);
await graphModel('TF Hub MobileNetV1 0.25', onHub);
await smallBase('TF Hub MobileNetV1 0.25', onHub);
onHub.dispose();

for (const [name, share] of [
  ['resnet50', 3.8],
  ['mobilenet_v2', 3.7],
]) {
  const model = replaceHead(await loadBase(name, { weights: null, seed: 1 }), { labels: clothing.labels });
  const [single, bytes] = await sizes(model, 'onnx');
  check(
    `${name}, bytes of weights in ONNX, single ÷ uint8 (≥ ${share})`,
    single / bytes >= share,
    (single / bytes).toFixed(2),
  );
  model.dispose();
}
rmSync(folder, { recursive: true });
console.log(failures === 0 ? 'all accepted' : `${failures} not accepted`);
process.exitCode = failures === 0 ? 0 : 1;

async function tuned(name, base, head, tuning) {
  const model = replaceHead(base, { labels: clothing.labels, ...head });
  await trainHead(model, train, { epochs: 8, seed: 1 });
  const log = await fineTune(model, train, { epochs: 2, seed: 1, ...tuning });
  console.log(
    `     ${name}: fine-tuned in ${log.seconds.toFixed(0)} s, test accuracy ${(await evaluate(model, test)).accuracy.toFixed(4)}`,
  );
  return model;
}

/** The preprocessed input of an example, and the probabilities that predict gives for it. */
async function example(model, input) {
  const picture = await model.base.preprocessor.apply(input);
  const values = picture.dataSync();
  picture.dispose();
  const answers = await predict(model, input, { topK: model.labels.length });
  return { values, expected: model.labels.map((label) => answers.find((each) => each.label === label).probability) };
}

async function onnx(name, model) {
  const [, ...shape] = model.base.trunk.input.shape;
  await exportModel(model, place('model.onnx'), { format: 'onnx' });
  const session = await ort.InferenceSession.create(place('model.onnx'));
  const whole = await exportModel(model, place('whole.onnx'), { format: 'onnx', includePreprocessing: true });
  const onPictures = await ort.InferenceSession.create(place('whole.onnx'));
  const off = { batch: 0, pictures: 0 };
  for (const index of some) {
    const { input } = await test.read(index);
    const { data: pixels, info } = await sharp(input)
      .rotate()
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const { values, expected } = await example(model, { width, height, data: new Uint8Array(pixels) });
    const batch = { [session.inputNames[0]]: new ort.Tensor('float32', values, [1, ...shape]) };
    const picture = new ort.Tensor('uint8', new Uint8Array(pixels), [1, height, width, channels]);
    const found = {
      batch: await session.run(batch),
      pictures: await onPictures.run({ [onPictures.inputNames[0]]: picture }),
    };
    for (const [kind, { probabilities }] of Object.entries(found)) {
      off[kind] = Math.max(off[kind], ...expected.map((value, i) => Math.abs(value - probabilities.data[i])));
    }
  }
  check(`${name}, ONNX Runtime on 20 preprocessed pictures (1e-4)`, off.batch < 1e-4, off.batch.toExponential(1));
  check(`${name}, ONNX Runtime on 20 pictures of bytes (1e-4)`, off.pictures < 1e-4, off.pictures.toExponential(1));
  for (const quantize of ['float16', 'uint8']) {
    const report = await exportModel(model, place('small.onnx'), { format: 'onnx', quantize, samples: test });
    const { before, after } = report.figures;
    const found = await accuracyOf(await ort.InferenceSession.create(place('small.onnx')), model);
    const text = `${before.accuracy.toFixed(4)} → ${after.accuracy.toFixed(4)}, weights ÷ ${(whole.weightBytes / report.weightBytes).toFixed(2)}`;
    check(
      `${name}, ONNX in ${quantize}: accuracy within a point`,
      Math.abs(before.accuracy - after.accuracy) <= 0.01,
      text,
    );
    check(
      `${name}, ONNX in ${quantize}: accuracy in ONNX Runtime is the reported one`,
      Math.abs(found - after.accuracy) < 0.003,
      found.toFixed(4),
    );
  }
}

/** Share of test pictures that a session decides rightly. */
async function accuracyOf(session, model) {
  const [, ...shape] = model.base.trunk.input.shape;
  let right = 0;
  for (let index = 0; index < test.size; index++) {
    const { input, target } = await test.read(index);
    const picture = await model.base.preprocessor.apply(input);
    const { probabilities } = await session.run({
      [session.inputNames[0]]: new ort.Tensor('float32', picture.dataSync(), [1, ...shape]),
    });
    picture.dispose();
    const best = probabilities.data.indexOf(Math.max(...probabilities.data));
    if (model.labels[best] === target) right++;
  }
  return right / test.size;
}

async function graphModel(name, model) {
  for (const quantize of ['float16', 'uint8']) {
    const report = await exportModel(model, place('graph'), { format: 'graphModel', quantize, samples: test });
    const { before, after } = report.figures;
    const text = `${before.accuracy.toFixed(4)} → ${after.accuracy.toFixed(4)}, ${report.weightBytes} of ${report.parameters * 4} bytes`;
    check(
      `${name}, GraphModel in ${quantize}: accuracy within a point`,
      Math.abs(before.accuracy - after.accuracy) <= 0.01,
      text,
    );
  }
}

/** The base alone in bytes, with the model's own head. */
async function smallBase(name, model) {
  const { accuracy } = await evaluate(model, test);
  await writeBase(model.base, place('base'), { quantize: 'uint8' });
  const base = await loadBase(place('base'));
  const found = (await evaluate({ ...model, base }, test)).accuracy;
  base.dispose();
  const text = `${accuracy.toFixed(4)} → ${found.toFixed(4)}`;
  check(`${name}, writeBase in uint8: accuracy within 1.5 points`, Math.abs(accuracy - found) <= 0.015, text);
}

/** Keras opens the file, gives the same numbers and trains on; what it saves is read again. */
async function keras(name, model) {
  const [, ...shape] = model.base.trunk.input.shape;
  await exportModel(model, place('model.keras'), { format: 'keras' });
  const examples = [];
  for (const index of some) examples.push(await example(model, (await test.read(index)).input));
  const inputs = Float32Array.from(examples.flatMap(({ values }) => Array.from(values)));
  writeFileSync(place('inputs.bin'), new Uint8Array(inputs.buffer));
  const targets = some.map((index) => model.labels.indexOf(test.target(index)));
  writeFileSync(place('facts.json'), JSON.stringify({ shape: [some.length, ...shape], targets }));
  execFileSync(python, [fileURLToPath(new URL('export.py', import.meta.url)), folder], {
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  const numbers = (file) => new Float32Array(Uint8Array.from(readFileSync(place(file))).buffer);
  const furthest = (found, expected) => Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
  const result = JSON.parse(readFileSync(place('result.json'), 'utf8'));
  const before = numbers('before.bin');
  const off = furthest(
    before,
    examples.flatMap(({ expected }) => expected),
  );
  check(`${name}, Keras ${result.keras} gives the same probabilities (1e-5)`, off < 1e-5, off.toExponential(1));
  const after = numbers('after.bin');
  const moved = furthest(after, Array.from(before));
  check(
    `${name}, Keras trains ${result.trainable} of ${result.weights} weights for an epoch`,
    moved > 1e-3,
    `loss ${result.loss.toFixed(3)}`,
  );
  const trained = await load(place('trained.keras'), {
    labels: model.labels,
    preprocess: model.base.preprocessor.spec,
  });
  const again = [];
  for (const index of some) again.push((await example(trained, (await test.read(index)).input)).expected);
  const different = furthest(after, again.flat());
  check(`${name}, what Keras saved after training, loaded here (1e-5)`, different < 1e-5, different.toExponential(1));
  trained.dispose();
  const base = await loadBase(place('trained.keras'));
  check(`${name}, as a base: cut`, base.cut === model.base.cut, base.cut);
  base.dispose();
}

async function sizes(model, format) {
  const all = [];
  for (const quantize of [undefined, 'uint8']) {
    const { weightBytes } = await exportModel(model, place(`sized.${format}`), {
      format,
      ...(quantize && { quantize }),
    });
    all.push(weightBytes);
  }
  return all;
}
