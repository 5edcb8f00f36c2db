// Yes or no by a single logit, as in the tutorial's `Dense(1)` with `BinaryCrossentropy(from_logits=True)`: is it an animal? One
// emoji in three is. Run it with `node examples/binary.js` after `npm run build`.
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { evaluate, fromArrays, loadBase, predict, replaceHead, trainHead } from 'transferkit';
import { emojiDrawings } from './emoji.js';
import { drawPicture } from './pictures.js';
import { progressBars } from './terminal.js';

/** `every` nth drawing is used, so that a test can run this file in a moment. */
export async function main({ every = 1 } = {}) {
  const start = performance.now();
  const bars = progressBars();

  // Two artists to learn from; concepts that they never drew, by a third, for the test.
  const drawings = await emojiDrawings();
  const train = await samplesOf(drawings.filter(({ folder }) => folder === 'train').filter((_, i) => i % every === 0));
  const unseen = await samplesOf(drawings.filter(({ folder }) => folder === 'unseen'));

  const base = await loadBase(mobilenet, { cut: 'block_13_expand_relu', inputSize: 96, preprocess: 'tf' });
  // The first label is that of a negative logit, the second that of a positive one.
  const model = replaceHead(base, { task: 'binary', labels: ['other', 'animal'] });
  await trainHead(model, train, { onProgress: bars.progress });
  const { accuracy, perLabel, loss } = await evaluate(model, unseen, { onProgress: bars.progress });
  bars.stop();

  const { id, input } = await unseen.read(0);
  const [best] = await predict(model, input);
  console.log(`\n${id}: ${best.label}, ${Math.round(best.probability * 100)} %`);
  model.dispose();

  const animals = perLabel.find(({ label }) => label === 'animal');
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `\naccuracy ${accuracy.toFixed(2)}, loss ${loss.toFixed(2)}; of animals precision ${animals.precision.toFixed(2)}, ` +
      `recall ${animals.recall.toFixed(2)} (${unseen.size} images of unseen concepts), ${seconds} s`,
  );
  return { accuracy, ...animals };
}

async function samplesOf(drawings) {
  return fromArrays({
    inputs: await Promise.all(drawings.map((drawing) => drawPicture([drawing]))),
    targets: drawings.map(({ label }) => (label === 'animal' ? 'animal' : 'other')),
    ids: drawings.map(({ name }) => name),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
