// Numbers instead of labels: how large an emoji is in its picture, and how light the background behind it. Run it with
// `node examples/regression.js` after `npm run build`.
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { evaluate, fromArrays, loadBase, predict, replaceHead, trainHead } from 'transferkit';
import { emojiDrawings } from './emoji.js';
import { drawPicture, numbers } from './pictures.js';
import { progressBars } from './terminal.js';

/** How many pictures there are, and their size, are options so that a test can run this file in a moment. */
export async function main({ pictures = 500, inputSize = 96 } = {}) {
  const start = performance.now();
  const bars = progressBars();
  const drawings = await emojiDrawings();
  const train = await measuredPictures(
    drawings.filter(({ folder }) => folder === 'train'),
    pictures,
    1,
  );
  // Drawings of concepts never seen, by an artist never seen.
  const test = await measuredPictures(
    drawings.filter(({ folder }) => folder === 'unseen'),
    150,
    2,
  );

  const base = await loadBase(mobilenet, { cut: 'block_6_expand_relu', inputSize, preprocess: 'tf' });
  const model = replaceHead(base, { task: 'regression', outputs: ['size', 'lightness'] });
  await trainHead(model, train, { onProgress: bars.progress });
  const { perOutput } = await evaluate(model, test, { onProgress: bars.progress });
  bars.stop();

  const { input, target } = await test.read(0);
  const [size, lightness] = await predict(model, input);
  console.log(`\nsize ${target[0]} pixels, predicted ${size.value.toFixed(0)}`);
  console.log(`lightness ${target[1].toFixed(2)}, predicted ${lightness.value.toFixed(2)}`);
  model.dispose();

  console.log();
  for (const { output, meanAbsoluteError, rSquared } of perOutput) {
    console.log(`${output.padEnd(9)} mean absolute error ${meanAbsoluteError.toFixed(3)}, R² ${rSquared.toFixed(2)}`);
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`(${test.size} images of unseen concepts), ${seconds} s`);
  return Object.fromEntries(perOutput.map(({ output, rSquared }) => [output, rSquared]));
}

/** Pictures of one emoji of 24 to 90 pixels somewhere on a grey background, with its size and the grey. */
async function measuredPictures(drawings, count, seed) {
  const random = numbers(seed);
  const plans = Array.from({ length: count }, () => {
    const size = 24 + Math.floor(random() * 67);
    const [left, top] = [Math.floor(random() * (97 - size)), Math.floor(random() * (97 - size))];
    const { svg } = drawings[Math.floor(random() * drawings.length)];
    return { drawing: { svg, size, left, top }, lightness: 0.2 + 0.8 * random() };
  });
  return fromArrays({
    inputs: await Promise.all(plans.map(({ drawing, lightness }) => drawPicture([drawing], lightness))),
    targets: plans.map(({ drawing, lightness }) => [drawing.size, lightness]),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
