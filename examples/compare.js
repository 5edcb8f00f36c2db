// What transfer is worth: a pretrained network, the same architecture with random weights, and the nearest neighbours among its
// features, on the emoji of the quickstart. Run it with `node examples/compare.js` after `npm run build`.
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { compare, knn, loadBase, replaceHead } from 'transferkit';
import { imageFolder } from 'transferkit/node';
import { emojiFolders } from './emoji.js';

/** Epochs and the size of pictures are options so that a test can run this file in a moment. */
export async function main({ epochs = 15, inputSize = 96 } = {}) {
  const folders = await emojiFolders();
  const train = await imageFolder(folders.train);
  const unseen = await imageFolder(folders.unseen);
  const { labels } = train;

  const load = (weights) =>
    loadBase(mobilenet, { cut: 'block_13_expand_relu', inputSize, preprocess: 'tf', ...weights });
  // On drawings of other artists it pays to leave the early layers as they are.
  const transfer = { model: replaceHead(await load(), { labels }), options: { unfreeze: { from: 'block_11_expand' } } };
  // Random weights: everything learns from the start, BatchNorm by its batches, whose statistics are soon followed.
  const scratch = replaceHead(await load({ weights: null, seed: 1 }), { labels });
  const base = await load();
  const neighbours = await knn(base, { k: 5 });

  const { rows, curves } = await compare(
    {
      transfer,
      scratch: { model: scratch, options: { headEpochs: 0, batchNorm: { momentum: 0.9 }, learningRate: 1e-3 } },
      neighbours,
    },
    train,
    {
      epochs,
      test: unseen,
      onEpoch: (name, { epoch, validationAccuracy }) => {
        console.error(`${name} ${String(epoch + 1)}: ${validationAccuracy.toFixed(2)} on held-out pictures`);
      },
    },
  );
  for (const item of [transfer.model, scratch, neighbours, base]) item.dispose();

  console.table(
    rows.map(({ name, accuracy, seconds, trainedParameters }) => ({
      name,
      'accuracy on unseen concepts': Number(accuracy.toFixed(2)),
      seconds: Math.round(seconds),
      'trained parameters': trainedParameters,
    })),
  );
  for (const name of ['transfer', 'scratch']) {
    console.log(`${name.padEnd(8)} ${curves[name].validationAccuracy.map((value) => value.toFixed(2)).join(' ')}`);
  }
  console.log(`held-out accuracy of each epoch above; ${String(unseen.size)} images of unseen concepts in the table`);
  return Object.fromEntries(rows.map(({ name, accuracy }) => [name, accuracy]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
