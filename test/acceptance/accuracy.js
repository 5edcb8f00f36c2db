// Accuracy on real pictures with the defaults, for several seeds: the figures of docs/accuracy.md. Run it with
// TRANSFERKIT_DATA=<folder> node test/acceptance/accuracy.js [names …] [--seeds 3], after `npm run build`.
import { join } from 'node:path';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import {
  compare,
  defineSamples,
  evaluate,
  fineTune,
  knn,
  loadBase,
  replaceHead,
  trainHead,
  useBackend,
} from 'transferkit';
import { imageFolder } from 'transferkit/node';
import { emojiFolders } from '../../examples/emoji.js';

const data = process.env.TRANSFERKIT_DATA;
if (data === undefined) {
  console.log('TRANSFERKIT_DATA is not set: nothing was measured.');
  process.exit(0);
}
const network = join(data, 'weights/mobilenet_v2_0.35_224_no_top');
const weightsOfNetwork = (options) => loadBase(network, { preprocess: 'tf', ...options });
const seedsAt = process.argv.indexOf('--seeds');
const seeds = Array.from({ length: seedsAt === -1 ? 3 : Number(process.argv[seedsAt + 1]) }, (_, seed) => seed);
const wanted = process.argv.slice(2, seedsAt === -1 ? undefined : seedsAt);

/** What each set is trained and measured on. `cover` crops pictures where the others stretch them. */
const sets = {
  clothing: () => pictures('clothing', ['train', 'validation', { test: 'test' }]),
  flowers12: () => pictures('flowers12', ['train', undefined, { test: 'test' }]),
  ants_bees: () => pictures('ants_bees', ['train', undefined, { val: 'validation' }]),
  'ants_bees, cover': () => pictures('ants_bees', ['train', undefined, { val: 'validation' }], 'cover'),
  'clothing, cover': () => pictures('clothing', ['train', 'validation', { test: 'test' }], 'cover'),
  emoji: emojis,
};

await useBackend();
for (const [name, read] of Object.entries(sets)) {
  if (wanted.length === 0 || wanted.includes(name)) await report(name, await read());
}
if (wanted.length === 0 || wanted.includes('scratch')) await againstScratch();

async function pictures(name, [train, validation, tests], fit = 'stretch') {
  const folder = await imageFolder(join(data, 'images', name));
  return {
    base: () => weightsOfNetwork({ preprocess: { kind: 'image', mode: 'tf', fit } }),
    train: folder.part(train),
    validation: validation && folder.part(validation),
    tests: Object.fromEntries(Object.entries(tests).map(([title, part]) => [title, folder.part(part)])),
  };
}

async function emojis() {
  const folders = await emojiFolders();
  return {
    base: () => loadBase(mobilenet, { cut: 'block_13_expand_relu', inputSize: 96, preprocess: 'tf' }),
    train: await imageFolder(folders.train),
    tests: { seen: await imageFolder(folders.seen), unseen: await imageFolder(folders.unseen) },
  };
}

/** Head by the defaults, then everything by the defaults; mean and deviation over the seeds. */
async function report(name, { base, train, validation, tests }) {
  const figures = new Map();
  const add = (what, value) => figures.set(what, [...(figures.get(what) ?? []), value]);
  const measured = { ...(validation && { validation }), ...tests };
  for (const seed of seeds) {
    const model = replaceHead(await base(), { labels: train.labels, seed });
    for (const [phase, run] of [
      ['head', trainHead],
      ['fine-tuned', fineTune],
    ]) {
      const { seconds } = await run(model, train, {
        ...(validation && { validation }),
        seed,
      });
      for (const [part, samples] of Object.entries(measured)) {
        add(`${phase}, ${part}`, (await evaluate(model, samples)).accuracy);
      }
      add(`${phase}, seconds`, seconds);
    }
    model.dispose();
  }
  console.log(`\n${name}: ${train.size} pictures to train on, ${seeds.length} seeds`);
  for (const [what, values] of figures)
    console.log(`  ${what.padEnd(24)} ${summary(values)}   ${values.map(short).join(' ')}`);
}

/** Ten pictures of each class of clothing: the pretrained network, its architecture with random weights, its neighbours. */
async function againstScratch() {
  const { train, tests } = await sets.clothing();
  const { labels } = train;
  const rows = new Map();
  for (const seed of seeds) {
    const few = firstOfEach(train, 10, seed);
    const transfer = replaceHead(await weightsOfNetwork(), { labels, seed });
    const scratch = replaceHead(await weightsOfNetwork({ weights: null, seed }), { labels, seed });
    const base = await weightsOfNetwork();
    const neighbours = await knn(base, { k: 5 });
    const { rows: found } = await compare(
      {
        transfer,
        scratch: { model: scratch, options: { batchNorm: { momentum: 0.9 }, headEpochs: 0, learningRate: 1e-3 } },
        neighbours,
      },
      few,
      { epochs: 20, validation: 0.2, test: tests.test, seed },
    );
    for (const { name, accuracy, seconds } of found) {
      const { accuracies = [], times = [] } = rows.get(name) ?? {};
      rows.set(name, { accuracies: [...accuracies, accuracy], times: [...times, seconds] });
    }
    transfer.dispose();
    scratch.dispose();
    neighbours.dispose();
    base.dispose();
  }
  console.log(`\n10 pictures a class of clothing, 20 epochs, ${seeds.length} seeds: accuracy on test, seconds`);
  for (const [name, { accuracies, times }] of rows) {
    console.log(`  ${name.padEnd(12)} ${summary(accuracies)}   ${times.map((time) => time.toFixed(0)).join(' ')} s`);
  }
}

/** The first examples of each label in an order drawn by the seed. */
function firstOfEach(samples, count, seed) {
  const { train } = samples.split({ validation: 0.5, seed });
  const left = new Map(train.labels.map((label) => [label, count]));
  const indexes = Array.from({ length: train.size }, (_, index) => index).filter((index) => {
    const label = train.target(index);
    left.set(label, left.get(label) - 1);
    return left.get(label) >= 0;
  });
  return defineSamples({
    size: indexes.length,
    labels: samples.labels,
    target: (index) => train.target(indexes[index]),
    read: (index) => train.read(indexes[index]),
  });
}

function summary(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(values.length - 1, 1),
  );
  return `${short(mean)} ± ${short(deviation)}`;
}

function short(value) {
  return value >= 10 ? value.toFixed(0) : value.toFixed(4);
}
