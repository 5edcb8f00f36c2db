// The whole way in one file: a pretrained network learns four new classes from drawings, and is asked about drawings by
// another artist. Run it with `npm run quickstart`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { evaluate, fineTune, load, loadBase, predict, replaceHead, save, trainHead } from 'transferkit';
import { fileSystem, imageFolder } from 'transferkit/node';
import { emojiFolders } from './emoji.js';
import { printConfusion, progressBars } from './terminal.js';

/** Epochs and the size of pictures are options so that a test can run this file in a moment. */
export async function main({ epochs = 10, inputSize = 96 } = {}) {
  const start = performance.now();
  const bars = progressBars();

  // Two artists to learn from, a third one for the test: concepts seen in training, and concepts held out.
  const folders = await emojiFolders(bars.counter('pictures'));
  const train = await imageFolder(folders.train);
  const seen = await imageFolder(folders.seen);
  const unseen = await imageFolder(folders.unseen);

  // A content moderator's MobileNetV2. Up to block_10 its layers are those that ImageNet trained, and it is cut there.
  const base = await loadBase(mobilenet, { cut: 'block_10_expand_relu', inputSize, preprocess: 'tf' });
  const model = replaceHead(base, { labels: train.labels, dropout: 0 });

  // Pictures go through the frozen network once; on its features the best linear head is found in a moment.
  await trainHead(model, train, { onProgress: bars.progress });
  const headOnSeen = await evaluate(model, seen, { onProgress: bars.progress });
  const headOnUnseen = await evaluate(model, unseen, { onProgress: bars.progress });

  // The stages after a third of the network's work follow at low rates; those before run once for each view.
  const log = await fineTune(model, train, { epochs, onProgress: bars.progress });
  const onSeen = await evaluate(model, seen, { onProgress: bars.progress });
  const onUnseen = await evaluate(model, unseen, { onProgress: bars.progress });
  bars.stop();

  // Saved, loaded and asked: the way it will serve.
  const folder = await mkdtemp(join(tmpdir(), 'transferkit-'));
  await save(model, fileSystem(folder));
  const again = await load(folder);
  model.dispose();

  console.log(`\n${log.parameters.trained} parameters trained, ${log.parameters.frozen} frozen and untouched.\n`);
  printConfusion(onSeen.labels, [onSeen.confusion, onUnseen.confusion]);
  console.log('\nPredictions for pictures of concepts never seen in training:');
  for (let index = 4; index < unseen.size; index += 20) {
    const { id, input } = await unseen.read(index);
    const [best] = await predict(again, input, { topK: 1 });
    console.log(
      `  ${best.label.padEnd(9)} ${(best.probability * 100).toFixed(0).padStart(3)} %  ${relative('.', join(folders.unseen, id))}`,
    );
  }
  again.dispose();
  await rm(folder, { recursive: true });

  console.log(`\nafter the head alone: ${figuresOf(headOnSeen, headOnUnseen)}`);
  const images = onSeen.examples + onUnseen.examples;
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`held-out accuracy ${figuresOf(onSeen, onUnseen)} (${images} images), ${seconds} s`);
  return { seen: onSeen.accuracy, unseen: onUnseen.accuracy };
}

function figuresOf(seen, unseen) {
  return `${seen.accuracy.toFixed(2)} seen, ${unseen.accuracy.toFixed(2)} unseen`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
