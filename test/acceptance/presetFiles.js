// Weights files that Keras wrote for every preset, loaded by name, against what Keras computes. First presetFiles.py <folder>,
// then: npm run build && node test/acceptance/presetFiles.js <folder>
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadBase, useBackend } from 'transferkit';

const [folder = ''] = process.argv.slice(2);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
await useBackend('wasm');
let failures = 0;
for (const name of names) {
  const golden = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  for (const file of [`${name}.h5`, `${name}.weights.h5`].filter((each) => existsSync(join(folder, each)))) {
    const found = [];
    for (const [cut, expected] of [
      [golden.inner.layer, golden.inner],
      [undefined, golden.features],
    ]) {
      found.push(await compare(name, join(folder, file), golden, cut, expected));
    }
    const passed = Math.max(...found) < 1e-4;
    if (!passed) failures++;
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${file}: ${found.map((each) => each.toExponential(1)).join(', ')}`);
  }
}
console.log(failures === 0 ? `all of ${names.length} presets` : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;

/** Largest difference of sampled values, relative to the largest of them. */
async function compare(name, weights, { alpha, inputSize, raw }, cut, expected) {
  const options = { weights, inputSize, ...(alpha === 1 ? {} : { alpha }), ...(cut === undefined ? {} : { cut }) };
  const base = await loadBase(name, options);
  const [height, width] = inputSize;
  const picture = uniform(height * width * 3).map((value) => (raw ? Math.fround(value + 1) * 127.5 : value));
  const input = tf.tensor(picture, [1, height, width, 3]);
  const output = base.trunk.run(input);
  const values = await output.data();
  for (const each of [input, output, base]) each.dispose();
  const samples = expected.samples.map((_, i) => values[Math.floor((i * (values.length - 1)) / 15)]);
  const scale = Math.max(...expected.samples.map(Math.abs), expected.std);
  if (output.shape.slice(1).join() !== expected.shape.join()) return Infinity;
  return Math.max(...samples.map((value, i) => Math.abs(value - expected.samples[i]))) / scale;
}

/** The picture's formula in presets.py: a hash of each place. */
function uniform(count) {
  const seed = Number((BigInt(1000 * 7919 + 1) * 2654435761n) % 2n ** 32n);
  return Float32Array.from({ length: count }, (_, i) => {
    let x = (i + seed) >>> 0;
    for (const shift of [16, 15]) x = Math.imul(x ^ (x >>> shift), 0x2c1b3c6d);
    x ^= x >>> 16;
    return (x >>> 8) / 2 ** 23 - 1;
  });
}
