// The whole job on a pretrained base and pictures that are the same everywhere: for Node, pages and workers.
import { memory } from '@tensorflow/tfjs-core';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import {
  evaluate,
  fineTune,
  fromArrays,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  useBackend,
  type Picture,
} from '../../src/index.ts';
import { drawing } from './drawing.ts';

/** What the job computed. */
export interface JobResult {
  readonly backend: string;
  readonly threads: number;
  readonly notes: readonly string[];
  readonly losses: readonly number[];
  readonly accuracy: number;
  /** Of the pictures that were not trained on, the probability of the first label. */
  readonly probabilities: readonly number[];
  /** The same of the model that was saved and loaded; empty where nothing was saved. */
  readonly loaded: readonly number[];
  readonly tensorsLeft: number;
}

const labels = ['rings', 'stripes'];
const size = 96;

/**
 * Loads a base, trains, fine-tunes, evaluates, saves, loads and predicts.
 *
 * @param place - Where the model is saved, such as `'indexeddb://job'`.
 */
export async function wholeJob(place?: string): Promise<JobResult> {
  const { name, threads, notes } = await useBackend('wasm');
  const before = memory().numTensors;
  const base = await loadBase(mobilenet, { cut: 'block_6_expand_relu', inputSize: size, preprocess: 'tf' });
  const model = replaceHead(base, { labels });
  const head = await trainHead(model, samplesOf(0, 12), { epochs: 4, batchSize: 4, solver: 'gradient', seed: 1 });
  const options = { epochs: 2, batchSize: 4, unfreeze: { from: 'block_5_expand' }, seed: 1 };
  const tuned = await fineTune(model, samplesOf(0, 12), options);
  const { accuracy } = await evaluate(model, samplesOf(12, 20));
  const pictures = Array.from({ length: 8 }, (_, i) => drawing(12 + i, size));
  const probabilities = firstOf(await predict(model, pictures));
  let loaded: number[] = [];
  if (place !== undefined) {
    await save(model, place);
    const again = await load(place, { task: 'classes' });
    loaded = firstOf(await predict(again, pictures));
    again.dispose();
  }
  model.dispose();
  const losses = [...head.epochs, ...tuned.epochs].map(({ loss }) => loss);
  return {
    backend: name,
    threads,
    notes,
    losses,
    accuracy,
    probabilities,
    loaded,
    tensorsLeft: memory().numTensors - before,
  };
}

function firstOf(all: readonly (readonly { readonly label: string; readonly probability: number }[])[]): number[] {
  return all.map((of) => of.find(({ label }) => label === labels[0])?.probability ?? NaN);
}

function samplesOf(from: number, to: number): ReturnType<typeof fromArrays<Picture>> {
  const places = Array.from({ length: to - from }, (_, i) => from + i);
  return fromArrays({ inputs: places.map((i) => drawing(i, size)), targets: places.map((i) => labels[i % 2] ?? '') });
}
