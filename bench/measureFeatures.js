// How much memory cached features take: run by featureMemory.js, in a fresh process for each figure. Arguments: number of
// examples, and the option `cache` as JSON. Prints figures as JSON.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { defineSamples, loadBase, replaceHead, trainHead, useBackend } from 'transferkit';

const [, , count = '10000', cache = 'true'] = process.argv;
const width = 1280;

/** Examples whose inputs are made when they are read and take no memory to speak of. */
function samplesOf(size) {
  const target = (index) => (index % 2 === 0 ? 'even' : 'odd');
  const input = (index) => Float32Array.from({ length: 8 }, (_, i) => Math.sin(index * 8 + i));
  const read = (index) => ({ input: input(index), target: target(index), id: `example ${index}` });
  return defineSamples({ size, target, read });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Resident bytes without garbage. */
function residentNow() {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage.rss();
}

await useBackend('wasm');
const network = sequential();
network.add(layers.dense({ inputShape: [8], units: width, activation: 'relu' }));
network.add(layers.dense({ units: 10 }));
const model = replaceHead(await loadBase(network), { labels: ['even', 'odd'], dropout: 0 });
// What the network and the engine take by themselves is taken by the same work with no features in memory, some times over:
// the engine's own memory settles slowly.
for (let run = 0; run < 3; run++) await trainHead(model, samplesOf(4000), { epochs: 1, cache: { memory: 0 } });

const before = residentNow();
let kept = 0;
let peak = 0;
const { epochs, seconds } = await trainHead(model, samplesOf(Number(count)), {
  epochs: 1,
  cache: JSON.parse(cache),
  onProgress: ({ phase, done }) => {
    peak = Math.max(peak, process.memoryUsage.rss() - before);
    // All features are there, and no epoch has begun.
    if (phase === 'head' && done === 0) kept = residentNow() - before;
  },
});
console.log(JSON.stringify({ examples: Number(count), before, kept, peak, seconds, epochSeconds: epochs[0].seconds }));
