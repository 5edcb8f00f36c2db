// Options of training together: steps of unfreezing, averages, accumulated and clipped gradients, statistics of the
// batch, views, several heads, a run that begins late — all in one run, stopped anywhere.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  fromArrays,
  replaceHead,
  type CheckpointStore,
  type FineTuneOptions,
  type Samples,
} from '../../src/index.ts';
import { someOf } from '../support/thorough.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer } from '../support/tinyTask.ts';

beforeAll(useTestBackend);

type Files = Map<string, Uint8Array>;

function memoryStore(files: Files, written: Files[] = []): CheckpointStore {
  return {
    list: () => Promise.resolve([...files.keys()]),
    read: (name) => Promise.resolve(files.get(name) ?? new Uint8Array(0)),
    write: (name, bytes) => {
      files.set(name, bytes);
      written.push(new Map(files));
      return Promise.resolve();
    },
    remove: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
  };
}

async function records(each: number, seed: number): Promise<Samples> {
  const samples = tinySamples(each, seed);
  const rows = await Promise.all(Array.from({ length: samples.size }, async (_, i) => samples.read(i)));
  const targets = rows.map(({ target }, i) => ({ kind: String(target), age: i / 9 }));
  return fromArrays({ inputs: rows.map(({ input }) => input), targets });
}

const everything: FineTuneOptions = {
  batchSize: 4,
  seed: 3,
  initialEpoch: 2,
  epochs: 6,
  headEpochs: 1,
  learningRate: { head: 3e-3, base: [1e-4, 1e-3] },
  layerDecay: 0.9,
  gradientAccumulationSteps: 3,
  clip: { norm: 0.4 },
  ema: { decay: 0.7 },
  batchNorm: { momentum: 0.8 },
  augment: 'light',
  mixup: 0.3,
  schedule: 'plateau',
  unfreeze: [
    { epoch: 0, lastStages: 1 },
    { epoch: 3, lastStages: 2 },
    { epoch: 5, lastStages: 3 },
  ],
};

/** A run on a new model; no tensor may be left. */
async function run(more: FineTuneOptions) {
  const [samples, validation] = [await records(5, 1), await records(3, 9)];
  const single = await tinyTransfer();
  const heads = { kind: { labels: single.labels }, age: { task: 'regression' } } as const;
  const model = replaceHead(single.base, { heads, dropout: 0.3, hidden: [5] });
  single.head.trunk.dispose(); // Two models that share a base could not unfreeze it.
  const before = tf.memory().numTensors;
  const log = await fineTune(model, samples, { ...everything, validation, ...more });
  expect(tf.memory().numTensors - before).toBe(0);
  const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
  const state = {
    weights: weights.map(({ name, frozen, variable }) => [name, frozen, Array.from(variable.dataSync())]),
    history: JSON.stringify(model.history, (key, value: unknown) => (key === 'seconds' ? undefined : value)),
  };
  const { loss } = await evaluate(model, validation);
  model.dispose();
  single.dispose();
  return { state, log, loss };
}

test.each<[string, FineTuneOptions]>([
  ['fresh views', { views: 'fresh' }],
  [
    'two views without a cache, early stopping',
    { views: 2, cache: false, earlyStopping: { patience: 1, minDelta: 1 } },
  ],
  ['averages aside', { views: 2, ema: { decay: 0.7, keep: 'weights' }, monitor: 'loss' }],
])(
  '%s: a resumed run gives the same result, and the model is that of the best epoch',
  async (_, more) => {
    const plain = await run(more);
    if (more.monitor === undefined) expect(plain.loss).toBeCloseTo(plain.log.best?.value ?? NaN, 6);
    const written: Files[] = [];
    const watched = await run({
      ...more,
      checkpoint: { to: memoryStore(new Map(), written), every: { steps: 1 }, keep: 1 },
    });
    expect(watched.state).toEqual(plain.state);
    expect(written.length).toBeGreaterThan(2);
    for (const files of someOf(written)) {
      const resumed = await run({ ...more, checkpoint: { to: memoryStore(files) }, resume: true });
      expect(resumed.state).toEqual(plain.state);
    }
  },
  60_000,
);

/** What a run ends with that nothing stops. */
let plainRun: ReturnType<typeof run> | undefined;
const uninterrupted = () => (plainRun ??= run({ views: 2 }));

test.each(someOf([3, 17, 30, 38, 46]))('stopped by callback %i, it resumes to the same result', async (which) => {
  const plain = await uninterrupted();
  const checkpoint = { to: memoryStore(new Map()), every: 99 };
  const stop = new AbortController();
  let calls = 0;
  const count = () => {
    if (++calls === which) stop.abort();
  };
  const stopped = await run({ views: 2, checkpoint, signal: stop.signal, onProgress: count, onEpoch: count });
  expect(stopped.log.stoppedBy).toBe('signal');
  const resumed = await run({ views: 2, checkpoint, resume: true });
  expect(resumed.state).toEqual(plain.state);
});

test.each(someOf([3, 17, 30, 38, 46]))(
  'an error in callback %i leaks no tensor and keeps the freeze state',
  async (which) => {
    const samples = await records(5, 1);
    const single = await tinyTransfer();
    const heads = { kind: { labels: single.labels }, age: { task: 'regression' } } as const;
    const model = replaceHead(single.base, { heads, dropout: 0.3, hidden: [5] });
    single.head.trunk.dispose(); // Two models that share a base could not unfreeze it.
    const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
    const before = [tf.memory().numTensors, ...weights.map(({ frozen }) => frozen)];
    let calls = 0;
    const raise = () => {
      if (++calls === which) throw new Error('mine');
    };
    const options = { ...everything, validation: 0.3, views: 2, onProgress: raise, onEpoch: raise };
    await expect(fineTune(model, samples, options)).rejects.toThrow('mine');
    expect([tf.memory().numTensors, ...weights.map(({ frozen }) => frozen)]).toEqual(before);
    model.dispose();
    single.dispose();
  },
);
