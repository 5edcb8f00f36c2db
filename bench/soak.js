// A soak: thousands of steps of fineTune, after which tensors, the heap of wasm and the memory of the process are what they
// were at the beginning. `npm run soak -- --steps 2000`; ends with code 1 when something grew.
import { parseArgs } from 'node:util';
import { backend, memory } from '@tensorflow/tfjs-core';
import { fineTune, fromArrays, loadBase, replaceHead, useBackend } from 'transferkit';
import { labelOf, noisePictures } from './contenders/task.js';
import { judgeSoak } from './judgeSoak.js';

const { values } = parseArgs({ options: { steps: { type: 'string', default: '2000' } } });
const steps = Number(values.steps);
const size = 64;
const batchSize = 8;
const stepsAnEpoch = 5;
const stepsARow = steps / 10;

await useBackend();
const pictures = noisePictures(batchSize * stepsAnEpoch, size);
const samples = fromArrays({ inputs: pictures, targets: pictures.map((_, i) => labelOf(i, 4)) });
const options = { alpha: 0.35, inputSize: size, weights: null, preprocess: { kind: 'tensor' } };
const model = replaceHead(await loadBase('mobilenet_v2', options), { labels: samples.labels });

console.log('  step    loss  tensors  wasm heap, MB  resident, MB');
const rows = [];
const log = await fineTune(model, samples, {
  epochs: steps / stepsAnEpoch,
  batchSize,
  headEpochs: 0,
  validation: false,
  schedule: 'constant',
  onEpoch({ epoch, loss }) {
    const step = (epoch + 1) * stepsAnEpoch;
    if (step % stepsARow === 0) rows.push(takeRow(step, loss));
  },
});
model.dispose();
const verdict = judgeSoak(rows);
console.log(`\n${((1000 * log.seconds) / steps).toFixed(0)} ms a step; ${verdict.text}`);
process.exitCode = verdict.flat ? 0 : 1;

/** What is in use at the end of an epoch, when no batch is on its way. */
function takeRow(step, loss) {
  globalThis.gc?.();
  const row = { tensors: memory().numTensors, wasmHeap: wasmHeapBytes(), rss: process.memoryUsage.rss() };
  const cells = [step, loss.toFixed(3), row.tensors, megabytes(row.wasmHeap), megabytes(row.rss)];
  const widths = [6, 8, 9, 15, 14];
  console.log(cells.map((cell, i) => String(cell).padStart(widths[i])).join(''));
  return row;
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function wasmHeapBytes() {
  return backend().wasm?.HEAPU8.buffer.byteLength ?? 0;
}
