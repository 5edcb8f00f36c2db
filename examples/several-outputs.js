// One network, three answers: what an emoji shows, who drew it, and how much of the picture it covers. The heads share the
// base and one reading of every picture. Run it with `node examples/several-outputs.js` after `npm run build`.
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import sharp from 'sharp';
import { evaluate, fromArrays, loadBase, predict, replaceHead, trainHead } from 'transferkit';
import { emojiDrawings } from './emoji.js';
import { drawPicture } from './pictures.js';
import { progressBars } from './terminal.js';

/** `every` nth drawing is used, in a size, so that a test can run this file in a moment. */
export async function main({ every = 1, inputSize = 96 } = {}) {
  const start = performance.now();
  const bars = progressBars();
  const drawings = (await emojiDrawings()).filter((_, index) => index % every === 0);

  // Targets are records: one target for each head.
  const samples = fromArrays({
    inputs: await Promise.all(drawings.map((drawing) => drawPicture([drawing]))),
    targets: await Promise.all(
      drawings.map(async (drawing) => ({
        kind: drawing.label,
        artist: drawing.artist,
        covered: await coverage(drawing.svg),
      })),
    ),
    ids: drawings.map(({ name }) => name),
  });
  // Both parts keep the proportions of the kinds: those of the first head with a label for each picture.
  const { train, validation } = samples.split({ validation: 0.25, seed: 1 });

  const base = await loadBase(mobilenet, { cut: 'block_13_expand_relu', inputSize, preprocess: 'tf' });
  const model = replaceHead(base, {
    heads: {
      kind: { labels: samples.heads.kind.labels },
      artist: { labels: samples.heads.artist.labels },
      covered: { task: 'regression', outputs: ['share of the picture'] },
    },
  });
  await trainHead(model, train, { onProgress: bars.progress });
  const { heads } = await evaluate(model, validation, { onProgress: bars.progress });
  bars.stop();

  const { id, input, target } = await validation.read(0);
  const { kind, artist, covered } = await predict(model, input, { topK: 1 });
  console.log(`\n${id}: ${target.kind} by ${target.artist}, covers ${percent(target.covered)}`);
  console.log(`  predicted: ${kind[0].label} by ${artist[0].label}, covers ${percent(covered[0].value)}`);
  model.dispose();

  const figures = { kind: heads.kind.accuracy, artist: heads.artist.accuracy, covered: heads.covered.rSquared };
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `\naccuracy of kinds ${figures.kind.toFixed(2)}, of artists ${figures.artist.toFixed(2)}, ` +
      `R² of coverage ${figures.covered.toFixed(2)} (${validation.size} held-out images), ${seconds} s`,
  );
  return figures;
}

/** Share of the picture that a drawing covers: the mean of its opacity. */
async function coverage(svg) {
  const { channels } = await sharp(Buffer.from(svg)).ensureAlpha().stats();
  return channels[3].mean / 255;
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
