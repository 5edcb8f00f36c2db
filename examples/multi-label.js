// Any of several labels: pictures of one to three emoji, and the kinds that are in them. From which probability on a kind counts
// as found is tuned on examples that training has not seen. Run it with `node examples/multi-label.js` after `npm run build`.
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { evaluate, fromArrays, loadBase, predict, replaceHead, trainHead, tuneThresholds } from 'transferkit';
import { emojiDrawings } from './emoji.js';
import { drawPicture, numbers } from './pictures.js';
import { progressBars } from './terminal.js';

/** How many pictures there are, and their size, are options so that a test can run this file in a moment. */
export async function main({ pictures = 500, inputSize = 96 } = {}) {
  const start = performance.now();
  const bars = progressBars();
  const drawings = await emojiDrawings();
  const labels = [...new Set(drawings.map(({ label }) => label))].sort();
  const known = drawings.filter(({ folder }) => folder === 'train');
  const { train, validation } = (await scenes(known, pictures, 1)).split({ validation: 0.25, seed: 1 });
  // By another artist, of concepts that the two others drew as well.
  const test = await scenes(
    drawings.filter(({ folder }) => folder === 'seen'),
    150,
    2,
  );

  const base = await loadBase(mobilenet, { cut: 'block_13_expand_relu', inputSize, preprocess: 'tf' });
  // The maximum over all places: a kind is in the picture wherever it is.
  const model = replaceHead(base, { task: 'multiLabel', labels, pooling: 'both' });
  await trainHead(model, train, { validation, onProgress: bars.progress });
  const thresholds = await tuneThresholds(model, validation, { onProgress: bars.progress });
  const { accuracy, perLabel } = await evaluate(model, test, { onProgress: bars.progress });
  bars.stop();

  const { input, target } = await test.read(0);
  const found = await predict(model, input);
  console.log(`\nin the picture: ${target.join(', ')}`);
  for (const { label, probability, chosen } of found) {
    const { threshold } = thresholds.find((each) => each.label === label);
    console.log(
      `  ${chosen ? '×' : ' '} ${label.padEnd(9)} ${percent(probability)}, found from ${percent(threshold)} on`,
    );
  }
  model.dispose();

  const f1 = perLabel.reduce((sum, each) => sum + each.f1, 0) / perLabel.length;
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`\nright decisions ${accuracy.toFixed(2)}, mean F1 ${f1.toFixed(2)} (${test.size} images), ${seconds} s`);
  return { accuracy, f1 };
}

/** Pictures of one to three emoji, each in a quarter of its own. */
async function scenes(drawings, count, seed) {
  const random = numbers(seed);
  const below = (limit) => Math.floor(random() * limit);
  const plans = Array.from({ length: count }, () => {
    const first = below(4);
    return Array.from({ length: 1 + below(3) }, (_, i) => {
      const quarter = (first + i) % 4;
      const place = { left: 1 + 48 * (quarter % 2), top: 1 + 48 * Math.floor(quarter / 2) };
      return { ...drawings[below(drawings.length)], size: 46, ...place };
    });
  });
  return fromArrays({
    inputs: await Promise.all(plans.map((plan) => drawPicture(plan))),
    targets: plans.map((plan) => [...new Set(plan.map(({ label }) => label))]),
  });
}

function percent(share) {
  return `${String(Math.round(share * 100)).padStart(3)} %`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
