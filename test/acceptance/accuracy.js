// Accuracy on the test parts with the defaults, for several seeds: the figures of docs/accuracy.md. Run it with
// TRANSFERKIT_DATA=<folder> node test/acceptance/accuracy.js [names …] [--seeds 3] [--former], after `npm run build`.
// Names are those of the sets, `few` and `scratch`. `--former` adds the defaults before the protocol, for their time.
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
const wanted = process.argv.slice(2, seedsAt === -1 ? undefined : seedsAt).filter((name) => name !== '--former');
const withFormer = process.argv.includes('--former');
/** Half-width of a 95 % interval of a mean of five values in standard errors: Student's t with 4 degrees of freedom. */
const studentOf4 = 2.776;

/** What each set is trained and measured on. */
const sets = {
  clothing: () => pictures('clothing', ['train', 'validation', { test: 'test' }]),
  flowers12: () => pictures('flowers12', ['train', undefined, { test: 'test' }]),
  ants_bees: () => pictures('ants_bees', ['train', undefined, { val: 'validation' }]),
  emoji: emojis,
};

await useBackend();
for (const [name, read] of Object.entries(sets)) {
  if (wanted.length === 0 || wanted.includes(name)) await report(name, await read());
}
if (wanted.length === 0 || wanted.includes('few')) await fromFew();
if (wanted.length === 0 || wanted.includes('scratch')) await againstScratch();

async function pictures(name, [train, validation, tests]) {
  const folder = await imageFolder(join(data, 'images', name));
  return {
    base: () => weightsOfNetwork(),
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

/** Head and fine-tuning by the defaults, each from a new model; mean and deviation over the seeds. */
async function report(name, { base, train, validation, tests }) {
  const figures = new Map();
  const add = (what, value) => figures.set(what, [...(figures.get(what) ?? []), value]);
  const options = validation ? { validation } : {};
  for (const seed of seeds) {
    const head = replaceHead(await base(), { labels: train.labels, seed });
    add('head, seconds', (await trainHead(head, train, { ...options, seed })).seconds);
    await addAccuracies('head', head);
    head.dispose();
    for (const [phase, settings] of Object.entries({
      'fine-tuned': {},
      ...(withFormer && { former: formerOf(train) }),
    })) {
      const model = replaceHead(await base(), { labels: train.labels, seed });
      const { ratios, seconds, log } = await tuned(model, train, { ...options, ...settings, seed });
      add(`${phase}, seconds`, seconds);
      ratios.forEach((ratio, epoch) => add(`${phase}, training loss ÷ head's after epoch ${epoch + 1}`, ratio));
      await addAccuracies(phase, model);
      if (log.blend) add(`${phase}, alpha`, log.blend.alpha);
      model.dispose();
    }
  }
  console.log(`\n${name}: ${train.size} pictures to train on, ${seeds.length} seeds`);
  for (const [what, values] of figures)
    console.log(`  ${what.padEnd(52)} ${summary(values)}   ${values.map(short).join(' ')}`);

  async function addAccuracies(phase, model) {
    for (const [part, samples] of Object.entries(tests)) {
      add(`${phase}, ${part}`, (await evaluate(model, samples)).accuracy);
    }
  }
}

/** Fine-tunes; the loss of the training pictures, without augmentation, after each of the first three epochs. */
async function tuned(model, train, options) {
  const ratios = [];
  let headLoss;
  let measuring = 0;
  const log = await fineTune(model, train, {
    ...options,
    onEpoch: async ({ phase }) => {
      if (ratios.length === 3) return;
      const startedAt = performance.now();
      const { loss } = await evaluate(model, train);
      if (phase === 'fineTune') ratios.push(loss / headLoss);
      else headLoss = loss;
      measuring += (performance.now() - startedAt) / 1000;
    },
  });
  return { ratios, log, seconds: log.seconds - measuring };
}

/** The defaults before the protocol: one cycle of five epochs through the whole base, on all examples. */
function formerOf({ size }) {
  const rate = 1e-3 * Math.min(1, Math.max(0.1, (Math.ceil(size / 32) * 5) / 500));
  const learningRate = { base: [rate / 10, rate], head: rate };
  const settings = { epochs: 5, schedule: 'oneCycle', unfreeze: 'base', augment: 'none', blend: false, learningRate };
  return { validation: false, ...settings };
}

/** A few pictures of each class of clothing, several draws: fine-tuning by the defaults against the head, paired. */
async function fromFew() {
  const { base, train, tests } = await sets.clothing();
  for (const count of [5, 10, 20]) {
    const gains = [];
    for (let seed = 0; seed < 5; seed++) {
      const few = firstOfEach(train, count, seed);
      const head = replaceHead(await base(), { labels: train.labels, seed });
      await trainHead(head, few, { seed });
      const before = (await evaluate(head, tests.test)).accuracy;
      head.dispose();
      const model = replaceHead(await base(), { labels: train.labels, seed });
      await fineTune(model, few, { seed });
      const after = (await evaluate(model, tests.test)).accuracy;
      model.dispose();
      gains.push(100 * (after - before));
      console.log(`  ${count} a label, draw ${seed}: head ${short(before)}, fine-tuned ${short(after)}`);
    }
    const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
    const error = Math.sqrt(
      gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / (gains.length - 1) / gains.length,
    );
    const interval = [mean - studentOf4 * error, mean + studentOf4 * error].map((end) => end.toFixed(1));
    console.log(`${count} a label: fine-tuned - head ${mean.toFixed(1)} points, 95 % interval ${interval.join(' … ')}`);
  }
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
