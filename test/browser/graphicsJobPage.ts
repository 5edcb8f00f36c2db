// The whole job on a base of full size inside a page, on the backend that is named.
import { memory } from '@tensorflow/tfjs-core';
import { evaluate, fineTune, fromArrays, load, loadBase, predict } from '../../src/index.ts';
import { replaceHead, save, trainHead, useBackend } from '../../src/index.ts';
import { drawing } from './drawing.ts';

/** What the job computed. */
export interface GraphicsJob {
  readonly backend: string;
  /** Of the head's epoch, of the fine-tuning's, and of the evaluation. */
  readonly losses: readonly number[];
  /** Of each picture the probability of the first label: of the model, and of the one that was saved and loaded. */
  readonly probabilities: readonly (readonly number[])[];
  readonly tensorsLeft: number;
}

declare global {
  interface Window {
    graphicsJob?: (backend: string) => Promise<GraphicsJob>;
  }
}

const labels = ['rings', 'stripes'];
const inputs = Array.from({ length: 8 }, (_, i) => drawing(i, 224));
const samples = fromArrays({ inputs, targets: inputs.map((_, i) => labels[i % 2] ?? '') });

window.graphicsJob = async (backend) => {
  const { name } = await useBackend(backend);
  const before = memory().numTensors;
  const base = await loadBase('mobilenet', { alpha: 0.25, weights: null, inputSize: 224, seed: 1 });
  const model = replaceHead(base, { labels, dropout: 0 });
  const once = { epochs: 1, batchSize: 8, seed: 1 };
  const head = await trainHead(model, samples, { ...once, solver: 'gradient' });
  const tuned = await fineTune(model, samples, { ...once, headEpochs: 0, unfreeze: { from: 'conv_pw_12' } });
  const { loss } = await evaluate(model, samples);
  const place = `indexeddb://graphics-${backend}`;
  await save(model, place);
  const again = await load(place, { task: 'classes' });
  const predicted = [await predict(model, inputs), await predict(again, inputs)];
  model.dispose();
  again.dispose();
  return {
    backend: name,
    losses: [...head.epochs, ...tuned.epochs, { loss }].map((each) => each.loss),
    probabilities: predicted.map((all) =>
      all.map((of) => of.find(({ label }) => label === labels[0])?.probability ?? NaN),
    ),
    tensorsLeft: memory().numTensors - before,
  };
};
