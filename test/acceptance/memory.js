// How much memory loading a Keras weights file takes: the largest resident size of a fresh process, less what it had before,
// against the size of the file. Run: node test/acceptance/memory.js preset file [cpu|wasm] [path|bytes] [top]
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('../../', import.meta.url));
const [preset = 'resnet101', file = '', backend = 'cpu', from = 'path', top = 'no'] = process.argv.slice(2);
const script = `
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-${backend}';
import { platform } from '#platform';
import { findPreset } from './src/presets/presetTable.ts';
import { buildTrunk } from './src/networks/read/buildLayers.ts';
import { loadKerasFile, readKerasFile } from './src/formats/keras/kerasFile.ts';
import { matchKerasWeights } from './src/formats/keras/kerasWeights.ts';
tf.env().set('PROD', true);
await tf.setBackend('${backend}');
await tf.ready();
const { architecture, inputSize } = await findPreset('${preset}');
const whole = architecture({ inputSize: [inputSize, inputSize], top: ${String(top === 'top')}, alpha: 1 });
const before = process.memoryUsage().rss;
const start = performance.now();
const [, , file, from] = process.argv;
const keras = from === 'path' ? await loadKerasFile(file) : await readKerasFile(await platform.readBytes(file), file);
const trunk = await buildTrunk(whole, matchKerasWeights(keras, whole).source);
const seconds = (performance.now() - start) / 1000;
const values = trunk.weights.reduce((sum, { variable }) => sum + variable.size, 0);
console.log(JSON.stringify({ before, peak: process.resourceUsage().maxRSS * 1024, seconds, values }));
`;
mkdirSync(join(project, '.cache'), { recursive: true });
const outfile = join(project, '.cache', 'memory.mjs');
await build({
  stdin: { contents: script, resolveDir: project },
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'silent',
  alias: { '#platform': join(project, 'src/platform/node/platform.ts') },
});
const { before, peak, seconds, values } = JSON.parse(
  execFileSync(process.execPath, [outfile, file, from], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
);
const size = statSync(file).size;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
console.log(
  `${preset} on ${backend} from ${from}: file ${megabytes(size)}, ${String(values)} values in ${seconds.toFixed(1)} s; before ${megabytes(before)}, ` +
    `peak ${megabytes(peak)}; (peak - before) / file = ${((peak - before) / size).toFixed(2)}`,
);
