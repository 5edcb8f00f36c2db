// How the cost of a head, and of the last blocks, grows with images and epochs. Small pictures (96 × 96) of noise, cut out
// of one strip, so that memory does not grow with them. One JSON object on standard output.
import { defineSamples, fineTune, loadBase, replaceHead, trainHead, useBackend } from 'transferkit';
import { architectures } from '../architectures.js';
import { labelOf, noisePictures, readTask } from './task.js';

const { arch, work, classes, batch: batchSize, repeat, threads } = readTask();
await useBackend(undefined, { threads });
const sizes = work.split(',').map(Number);
const epochCounts = [5, 10, 20];
const size = 96;
const values = size * size * 3;
const [strip] = noisePictures(1, 2 * size);

const base = await loadBase(arch, { inputSize: size, weights: null, preprocess: { kind: 'tensor' } });
const labels = Array.from({ length: classes }, (_, i) => labelOf(i, classes));
const model = replaceHead(base, { labels, dropout: 0 });

await measureBoth(64, 1);
const byImages = [];
for (const images of sizes) byImages.push(await leastOf(() => measureBoth(images, 10)));
const byEpochs = [];
for (const epochs of epochCounts) byEpochs.push(await leastOf(() => measureBoth(sizes[1], epochs)));
console.log(JSON.stringify({ size, byImages, byEpochs }));
model.dispose();

/** Seconds of a head from pictures, of its epochs alone, and of one epoch of the last blocks with the frozen front. */
async function measureBoth(images, epochs) {
  const samples = samplesOf(images);
  const head = await trainHead(model, samples, { epochs, batchSize });
  const tuned = await fineTune(model, samples, {
    unfreeze: { from: architectures[arch].lastBlocks },
    epochs: 1,
    batchSize,
    validation: false,
  });
  const epochsAlone = head.epochs.reduce((sum, { seconds }) => sum + seconds, 0);
  return { images, epochs, head: head.seconds, headEpochs: epochsAlone, last: tuned.seconds };
}

/** The least of each figure over a few runs. */
async function leastOf(run) {
  const runs = [];
  for (let i = 0; i < repeat; i++) runs.push(await run());
  const [first] = runs;
  return Object.fromEntries(Object.keys(first).map((name) => [name, Math.min(...runs.map((each) => each[name]))]));
}

function samplesOf(count) {
  return defineSamples({
    size: count,
    labels,
    target: (index) => labelOf(index, classes),
    read: (index) => ({
      input: strip.subarray((index * 37) % values, ((index * 37) % values) + values),
      target: labelOf(index, classes),
      id: `picture ${index}`,
    }),
  });
}
