// A run that goes on from a checkpoint ends as one that was never interrupted: the same bits in weights and log.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  fineTune,
  focalLoss,
  fromArrays,
  replaceHead,
  trainHead,
  type CheckpointStore,
  type FineTuneOptions,
  type Progress,
  type Samples,
  type TrainHeadOptions,
  type TrainingLog,
  type TransferModel,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { plateau } from '../../src/schedules.ts';
import { someOf } from '../support/thorough.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(useTestBackend);

type Files = Map<string, Uint8Array>;

/** A store in memory; `written` are the files after each write. */
function memoryStore(files: Files = new Map(), written: Files[] = []): CheckpointStore {
  return {
    list: async () => [...files.keys()],
    read: async (name) => files.get(name)!,
    write: async (name, bytes) => {
      files.set(name, bytes);
      written.push(new Map(files));
    },
    remove: async (name) => void files.delete(name),
  };
}

const newModel = () => tinyTransfer({ dropout: 0.3, hidden: [5] });

/** Everything of a log but times. */
const timeless = (logs: readonly TrainingLog[]): unknown =>
  JSON.parse(JSON.stringify(logs, (key, value: unknown) => (key === 'seconds' ? undefined : value)));

interface Ended {
  readonly weights: Record<string, number[]>;
  readonly history: unknown;
  readonly log: TrainingLog;
  readonly frozen: readonly boolean[];
  readonly trained: boolean;
}

/** Runs a verb on a new model, and sees that no tensor is left. */
async function end(run: (model: TransferModel) => Promise<TrainingLog>): Promise<Ended> {
  const model = await newModel();
  const before = tf.memory().numTensors;
  const log = await run(model);
  expect(tf.memory().numTensors - before).toBe(0);
  const ended = {
    weights: weightValues(model),
    history: timeless(model.history),
    log,
    frozen: [...model.base.trunk.weights, ...model.head.trunk.weights].map(({ frozen }) => frozen),
    trained: model.head.trained,
  };
  model.dispose();
  return ended;
}

/** What must be equal. */
const essence = ({ weights, history, frozen, trained }: Ended) => ({ weights, history, frozen, trained });

const samples = tinySamples(5);
const validation = tinySamples(2, 9);
const common = { batchSize: 4, seed: 3, headEpochs: 1, learningRate: 1e-3 };

const settings: Record<string, FineTuneOptions> = {
  'everything, with a validation': { epochs: 3, validation, unfreeze: { lastStages: 3 } },
  'a cached front, momentum, a plateau': {
    epochs: 4,
    validation,
    unfreeze: { lastStages: 1 },
    optimizer: sgd({ momentum: 0.9 }),
    schedule: plateau({ patience: 1, minDelta: 1 }),
  },
  'steps of unfreezing': {
    epochs: 4,
    validation: 0.3,
    unfreeze: [
      { epoch: 0, lastStages: 1 },
      { epoch: 1, lastStages: 2 },
      { epoch: 3, lastStages: 3 },
    ],
  },
  'averages, accumulated gradients, clipping, the best epoch': {
    epochs: 3,
    validation,
    ema: { decay: 0.8 },
    gradientAccumulationSteps: 3,
    clip: { globalNorm: 0.5 },
    monitor: 'validationAccuracy',
    unfreeze: { lastStages: 2 },
  },
  'a blend that validation chooses, in steps of unfreezing': {
    epochs: 3,
    validation,
    blend: true,
    unfreeze: [
      { epoch: 0, lastStages: 1 },
      { epoch: 2, lastStages: 2 },
    ],
  },
  'a blend of the averages': { epochs: 2, blend: { alpha: 0.3 }, ema: { decay: 0.8 }, unfreeze: { lastStages: 1 } },
  'mixed batches without a cache': {
    epochs: 2,
    mixup: 0.4,
    labelSmoothing: 0.1,
    cache: false,
    unfreeze: { lastStages: 1 },
  },
  'statistics of the batch, on changed pictures': {
    epochs: 2,
    validation,
    batchNorm: 'train',
    ema: true,
    augment: 'light',
    views: 'fresh',
    unfreeze: { lastStages: 2 },
  },
};

describe.each(Object.entries(settings))('fineTune of %s', (_, options) => {
  test('resumes from its checkpoints to the same result', async () => {
    const plain = await end((model) => fineTune(model, samples, { ...common, ...options }));
    const written: Files[] = [];
    const to = memoryStore(new Map(), written);
    const watched = await end((model) =>
      fineTune(model, samples, { ...common, ...options, checkpoint: { to, every: { steps: 1 } } }),
    );
    expect(essence(watched)).toEqual(essence(plain));
    expect(written.length).toBeGreaterThan(2);
    for (const files of someOf(written)) {
      const checkpoint = { to: memoryStore(files) };
      const resumed = await end((model) =>
        fineTune(model, samples, { ...common, ...options, checkpoint, resume: true }),
      );
      expect(essence(resumed)).toEqual(essence(plain));
      expect(resumed.log.warnings).toEqual(plain.log.warnings);
    }
  }, 120_000);
});

const all = { ...common, epochs: 3, validation, unfreeze: { lastStages: 2 } } as const;

/** Checkpoints of an interrupted run: after so many writes, those that were there then. */
async function interrupted(options: FineTuneOptions, writes: number, every: { steps: number } | number = { steps: 1 }) {
  const written: Files[] = [];
  const to = memoryStore(new Map(), written);
  const { weights } = await end((model) => fineTune(model, samples, { ...options, checkpoint: { to, every } }));
  return { files: written[writes - 1]!, weights };
}

/** Samples that count how often they are read. */
function counted(given: Samples): { samples: Samples; readonly reads: number } {
  let reads = 0;
  const counting = defineSamples({
    size: given.size,
    labels: given.labels,
    target: (index) => given.target(index),
    read: async (index) => {
      reads++;
      return given.read(index);
    },
  });
  return {
    samples: counting,
    get reads() {
      return reads;
    },
  };
}

describe('trainHead', () => {
  const options: TrainHeadOptions = {
    epochs: 4,
    batchSize: 4,
    validation,
    optimizer: sgd({ momentum: 0.9 }),
    earlyStopping: 2,
  };

  test('resumes from a checkpoint inside an epoch', async () => {
    const plain = await end((model) => trainHead(model, samples, options));
    const written: Files[] = [];
    const checkpoint = { to: memoryStore(new Map(), written), every: { steps: 3 } };
    await end((model) => trainHead(model, samples, { ...options, checkpoint }));
    for (const files of someOf(written)) {
      const resumed = { ...options, checkpoint: { to: memoryStore(files) }, resume: true };
      expect(essence(await end((model) => trainHead(model, samples, resumed)))).toEqual(essence(plain));
    }
  });

  test('and fineTune may share a store: each resumes from its own checkpoints', async () => {
    const files: Files = new Map();
    const checkpoint = { to: memoryStore(files), keep: 1 };
    const script = (resume: boolean) =>
      end(async (model) => {
        await trainHead(model, samples, { ...options, checkpoint, resume });
        return fineTune(model, samples, { ...all, checkpoint, resume });
      });
    const first = await script(false);
    expect([...files.keys()].map((name) => name.replace(/-.*/, ''))).toEqual(['head', 'fineTune']);
    const again = await script(true);
    expect(essence(again)).toEqual(essence(first));
  });
});

test('a record of heads resumes from any of its checkpoints', async () => {
  const targets = Array.from({ length: samples.size }, (_, i) => ({ kind: samples.target(i) as string, age: i / 9 }));
  const inputs = await Promise.all(targets.map(async (_, i) => (await samples.read(i)).input));
  const records = fromArrays({ inputs, targets });
  const options: FineTuneOptions = { ...common, epochs: 2, validation: 0.3, unfreeze: { lastStages: 1 } };
  const run = async (more: Partial<FineTuneOptions>) => {
    const single = await newModel();
    const model = replaceHead(single.base, {
      heads: { kind: { labels: single.labels }, age: { task: 'regression' } },
      dropout: 0.3,
      hidden: [5],
    });
    single.head.trunk.dispose();
    await fineTune(model, records, { ...options, ...more });
    const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
    const values = weights.map(({ variable }) => Array.from(variable.dataSync()));
    const history = timeless(model.history);
    model.dispose();
    return { values, history };
  };
  const plain = await run({});
  const written: Files[] = [];
  await run({ checkpoint: { to: memoryStore(new Map(), written), every: { steps: 1 } } });
  for (const files of someOf(written)) {
    expect(await run({ checkpoint: { to: memoryStore(files) }, resume: true })).toEqual(plain);
  }
});

describe('a finished run', () => {
  test.each<[string, Partial<FineTuneOptions>]>([
    ['by its epochs', {}],
    ['by early stopping', { epochs: 9, earlyStopping: { patience: 1, minDelta: 1 } }],
    ['by its time', { epochs: 500, maxSeconds: 0.5 }],
    ['with a blend', { blend: true }],
    ['by its time, with a blend', { epochs: 500, maxSeconds: 0.5, blend: true }],
  ])('%s returns immediately, with the same log and weights', async (_, more) => {
    const files: Files = new Map();
    const options = { ...all, ...more, checkpoint: { to: memoryStore(files), every: 2 } };
    const first = await end((model) => fineTune(model, samples, options));
    const watched = counted(samples);
    const epochs: number[] = [];
    const before = [...files.keys()];
    const again = await end((model) =>
      fineTune(model, watched.samples, { ...options, resume: true, onEpoch: ({ epoch }) => epochs.push(epoch) }),
    );
    expect(essence(again)).toEqual(essence(first));
    expect(again.log.seconds).toBeGreaterThanOrEqual(first.log.seconds - 0.1);
    expect([watched.reads, epochs, [...files.keys()]]).toEqual([0, [], before]);
  });
});

describe('a run that is stopped by its signal', () => {
  test.each([1, 7, 9])('in batch %i resumes there', async (batch) => {
    const options = { ...all, gradientAccumulationSteps: 2 };
    const plain = await end((model) => fineTune(model, samples, options));
    const files: Files = new Map();
    const checkpoint = { to: memoryStore(files), every: 99 };
    const stop = new AbortController();
    let batches = 0;
    const stopped = await end((model) =>
      fineTune(model, samples, {
        ...options,
        checkpoint,
        signal: stop.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'fineTune' && done > 0 && ++batches === batch) stop.abort();
        },
      }),
    );
    expect(stopped.log.stoppedBy).toBe('signal');
    const resumed = await end((model) => fineTune(model, samples, { ...options, checkpoint, resume: true }));
    expect(essence(resumed)).toEqual(essence(plain));
  });

  test('resumes in the same process, too', async () => {
    const plain = await end((model) => fineTune(model, samples, all));
    const checkpoint = { to: memoryStore() };
    const resumed = await end(async (model) => {
      for (const batch of [3, 2]) {
        const stop = new AbortController();
        let batches = 0;
        const { stoppedBy } = await fineTune(model, samples, {
          ...all,
          checkpoint,
          resume: true,
          signal: stop.signal,
          onProgress: ({ phase, secondsLeft }) => {
            if (phase === 'fineTune' && secondsLeft !== undefined && ++batches === batch) stop.abort();
          },
        });
        expect(stoppedBy).toBe('signal');
      }
      return fineTune(model, samples, { ...all, checkpoint, resume: true });
    });
    expect(essence(resumed)).toEqual(essence(plain));
  });

  test('while features are computed between two steps of unfreezing resumes there', async () => {
    const options = {
      ...common,
      epochs: 3,
      validation,
      unfreeze: [
        { epoch: 0, lastStages: 1 },
        { epoch: 2, lastStages: 2 },
      ],
    };
    const plain = await end((model) => fineTune(model, samples, options));
    const files: Files = new Map();
    const checkpoint = { to: memoryStore(files), every: 99 };
    const stop = new AbortController();
    let epochs = 0;
    const stopped = await end((model) =>
      fineTune(model, samples, {
        ...options,
        checkpoint,
        signal: stop.signal,
        onEpoch: ({ epoch }) => (epochs = epoch + 1),
        onProgress: ({ phase, done }) => {
          if (phase === 'features' && epochs === 2 && done > 0) stop.abort();
        },
      }),
    );
    expect(stopped.log).toMatchObject({ stoppedBy: 'signal', epochs: [{ epoch: 0 }, { epoch: 1 }], examples: 15 });
    expect(files.size).toBe(1);
    const told: number[] = [];
    const resumed = await end((model) =>
      fineTune(model, samples, { ...options, checkpoint, resume: true, onEpoch: ({ epoch }) => told.push(epoch) }),
    );
    expect(told).toEqual([2]);
    expect(essence(resumed)).toEqual(essence(plain));
  });

  test('before its first update keeps the checkpoint', async () => {
    const { files } = await interrupted(all, 5);
    const before = new Map(files);
    const checkpoint = { to: memoryStore(files) };
    const stopped = await end((model) =>
      fineTune(model, samples, { ...all, checkpoint, resume: true, signal: AbortSignal.abort() }),
    );
    expect(stopped.log).toMatchObject({ stoppedBy: 'signal', epochs: [{ epoch: 0 }] });
    expect(files).toEqual(before);
  });
});

test('a finished run continues with more epochs; with a constant schedule the bits are those of the longer run', async () => {
  const constant = { ...all, schedule: 'constant', restoreBest: false } as const;
  const checkpoint = { to: memoryStore(new Map()) };
  const short = await end((model) => fineTune(model, samples, { ...constant, epochs: 2, checkpoint }));
  const longer = await end((model) => fineTune(model, samples, { ...constant, epochs: 4, checkpoint, resume: true }));
  const plain = await end((model) => fineTune(model, samples, { ...constant, epochs: 4 }));
  expect(longer.log.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
  expect(longer.weights).toEqual(plain.weights);
  expect(longer.weights).not.toEqual(short.weights);
});

test('progress and epochs continue', async () => {
  const { files } = await interrupted(all, 6); // four steps in each epoch
  const epochs: number[] = [];
  const seen: Progress[] = [];
  const resumed = await end((model) =>
    fineTune(model, samples, {
      ...all,
      checkpoint: { to: memoryStore(files) },
      resume: true,
      onEpoch: ({ epoch }) => epochs.push(epoch),
      onProgress: (progress) => seen.push(progress),
    }),
  );
  expect(epochs).toEqual([1, 2]);
  expect(resumed.log.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  const own = seen.filter(({ phase }) => phase === 'fineTune');
  expect(own[0]).toMatchObject({ done: 23, total: 45, secondsLeft: undefined });
  expect(own.at(-1)).toMatchObject({ done: 45, total: 45, secondsLeft: 0 });
});

test('without a checkpoint, resume starts at the beginning', async () => {
  const checkpoint = { to: memoryStore() };
  const plain = await end((model) => fineTune(model, samples, all));
  const resumed = await end((model) => fineTune(model, samples, { ...all, checkpoint, resume: true }));
  expect(essence(resumed)).toEqual(essence(plain));
});

describe('examples that cannot be read', () => {
  const broken = defineSamples({
    size: samples.size,
    labels: samples.labels,
    onUnreadable: 'skip',
    target: (index) => samples.target(index),
    read: (index) => {
      if (index % 5 === 0) throw new Error(`no ${index}`);
      return samples.read(index);
    },
  });

  test.each<[string, FineTuneOptions]>([
    ['read anew in every epoch', { epochs: 1, unfreeze: { lastStages: 3 }, cache: false }],
    [
      'in a cache at first',
      {
        epochs: 3,
        unfreeze: [
          { epoch: 0, lastStages: 1 },
          { epoch: 1, lastStages: 3 },
        ],
      },
    ],
  ])('are listed by a resumed run, too: %s', async (_, more) => {
    const options = { ...common, ...more };
    const plain = await end((model) => fineTune(model, broken, options));
    expect(plain.log.skipped).toHaveLength(3);
    const written: Files[] = [];
    const checkpoint = { to: memoryStore(new Map(), written), every: { steps: 1 } };
    await end((model) => fineTune(model, broken, { ...options, checkpoint }));
    for (const files of someOf(written)) {
      const resumed = { ...options, checkpoint: { to: memoryStore(files) }, resume: true };
      const { log, weights } = await end((model) => fineTune(model, broken, resumed));
      expect(weights).toEqual(plain.weights);
      expect(log.examples).toBe(12);
      expect(log.skipped.map(({ id }) => id).sort()).toEqual(plain.log.skipped.map(({ id }) => id).sort());
    }
  });
});

describe('another run', () => {
  const other = fromArrays({
    inputs: Array.from({ length: 15 }, () => new Float32Array(768)),
    targets: Array.from({ length: 15 }, (_, i) => ['along', 'across', 'plain'][i % 3]!),
  });

  test.each<[string, FineTuneOptions, Samples, RegExp]>([
    ['seed', { ...all, seed: 4 }, samples, /differs in seed \(4 here, 3 there\)\. Resume with the same model/],
    ['batch', { ...all, batchSize: 5 }, samples, /differs in batchSize \(5 here, 4 there\)\./],
    ['optimizer', { ...all, optimizer: 'sgd' }, samples, /optimizer\.name \("sgd" here, "adam" there\)/],
    [
      'loss',
      { ...all, loss: focalLoss({ gamma: 3 }) },
      samples,
      /differs in loss \(\{"name":"focal","settings":\{"gamma":3\},.* here, nothing there\)/,
    ],
    ['clipping', { ...all, clip: { norm: 2 } }, samples, /differs in clip \(\{"norm":2\} here, nothing there\)/],
    ['targets', all, other, /differs in train\.targets \("\w+" here, "\w+" there\)\./],
    ['number of examples', all, tinySamples(6), /train\.size \(18 here, 15 there\); train\.targets/],
    ['validation', { ...all, validation: tinySamples(3, 9) }, samples, /validation\.size \(9 here, 6 there\)/],
    [
      'freezing',
      { ...all, unfreeze: { lastStages: 3 } },
      samples,
      /weights\.conv1\/kernel \("\[3, 3, 3, 8\] unfrozen in epoch 0" here, "\[3, 3, 3, 8\] frozen, \w+" there\)/,
    ],
  ])('of another %s is refused, and the model is unchanged', async (_, options, given, expected) => {
    const { files } = await interrupted(all, 2);
    const before = new Map(files);
    const model = await newModel();
    const [weights, tensors] = [weightValues(model), tf.memory().numTensors];
    const checkpoint = { to: memoryStore(files) };
    const run = fineTune(model, given, { ...options, checkpoint, resume: true });
    await expect(run).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
    await expect(run).rejects.toThrow(expected);
    expect(weightValues(model)).toEqual(weights);
    expect(model.history).toEqual([]);
    expect([model.head.trained, tf.memory().numTensors]).toEqual([false, tensors]);
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    expect(files).toEqual(before);
    model.dispose();
  });

  test('on another base is refused: frozen weights are compared', async () => {
    const { files } = await interrupted(all, 2);
    const model = await newModel();
    const kernel = model.base.trunk.weights.find(({ name }) => name === 'conv1/kernel')!;
    const changed = tf.tidy(() => tf.mul(kernel.variable, 1.001));
    kernel.write(changed);
    changed.dispose();
    await expect(
      fineTune(model, samples, { ...all, checkpoint: { to: memoryStore(files) }, resume: true }),
    ).rejects.toThrow(/differs in weights\.conv1\/kernel \(/);
    model.dispose();
  });

  test('with the same options after it is not mistaken for it', async () => {
    const model = await newModel();
    const checkpoint = { to: memoryStore() };
    await fineTune(model, samples, { ...all, checkpoint, resume: true });
    await expect(fineTune(model, samples, { ...all, checkpoint, resume: true })).rejects.toThrow(
      /differs in trainedBefore \(2 here, 1 there\)\. Resume .* give another checkpoint\.to/,
    );
    model.dispose();
  });
});

test('examples that become unreadable: the model is as before the resume', async () => {
  const { files } = await interrupted(all, 5);
  const gone = defineSamples({
    size: samples.size,
    labels: samples.labels,
    target: (index) => samples.target(index),
    read: () => {
      throw new Error('gone');
    },
  });
  const model = await newModel();
  const [weights, tensors] = [weightValues(model), tf.memory().numTensors];
  await expect(
    fineTune(model, gone, { ...all, checkpoint: { to: memoryStore(files) }, resume: true }),
  ).rejects.toMatchObject({ code: 'UNREADABLE' });
  expect(weightValues(model)).toEqual(weights);
  expect([model.head.trained, tf.memory().numTensors]).toEqual([false, tensors]);
  model.dispose();
});

/** Those of a log's warnings that have a word in them. */
const about = (word: string, { warnings = [] }: TrainingLog) => warnings.filter((text) => text.includes(word));

test('a damaged checkpoint: the previous one is used, the result is the same, and the log warns', async () => {
  const { files, weights } = await interrupted(all, 7);
  const newest = [...files.keys()].sort().at(-1)!;
  files.set(
    newest,
    files.get(newest)!.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
  );
  const checkpoint = { to: memoryStore(files) };
  const resumed = await end((model) => fineTune(model, samples, { ...all, checkpoint, resume: true }));
  expect(resumed.weights).toEqual(weights);
  expect(about('checkpoint', resumed.log)).toEqual([
    expect.stringContaining(`Expected a whole checkpoint in ${newest}`),
  ]);
});

test('a full disk: training continues, and the log warns once', async () => {
  const plain = await end((model) => fineTune(model, samples, all));
  const files: Files = new Map();
  const store = memoryStore(files);
  let writes = 0;
  const full: CheckpointStore = {
    ...store,
    write: async (name, bytes) => {
      if (++writes > 2) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return store.write(name, bytes);
    },
  };
  const errors: string[] = [];
  const checkpoint = { to: full, every: { steps: 2 }, onError: ({ code }: { code: string }) => errors.push(code) };
  const { weights, log } = await end((model) => fineTune(model, samples, { ...all, checkpoint }));
  expect(weights).toEqual(plain.weights);
  expect(about('checkpoint', log)).toEqual([
    'Expected to keep a checkpoint after step 6 (epoch 1), but: ENOSPC: no space left on device, write. ' +
      'Training goes on, and tries again when the next one is due.',
  ]);
  expect(errors).toEqual(['SAVE_FAILED']);
  expect(writes).toBeGreaterThan(4);
  const resumed = { ...all, checkpoint: { to: store }, resume: true };
  expect((await end((model) => fineTune(model, samples, resumed))).weights).toEqual(plain.weights);
});
