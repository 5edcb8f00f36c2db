// Features that are computed once: in memory, in a file, in half precision; the same weights come out, and nothing
// stays.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  defineSamples,
  fineTune,
  fromArrays,
  isTransferKitError,
  replaceHead,
  trainHead,
  type TrainingLog,
  type TrainingOptions,
} from '../../src/index.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-cache-'));
/** Of each test its own; the cache makes it. */
let directory = '';
let tests = 0;

beforeAll(async () => {
  await useTestBackend();
});
beforeEach(() => {
  directory = join(root, String(tests++));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Bytes of every file that lies in the folder of the cache. */
function filesThere(): number[] {
  return readdirSync(directory).map((name) => statSync(join(directory, name)).size);
}

/** Bytes of an example of `trainHead`: 12 pooled features and 3 targets. */
const exampleBytes = (12 + 3) * 4;

const common = { epochs: 3, batchSize: 5, validation: 0.25, seed: 5 };
const verbs = {
  trainHead: async (cache?: TrainingOptions['cache']) => {
    const model = await tinyTransfer({ hidden: [8], dropout: 0.3 });
    const log = await trainHead(model, tinySamples(), { ...common, ...(cache === undefined ? {} : { cache }) });
    return { weights: weightValues(model), losses: losses(log) };
  },
  fineTune: async (cache?: TrainingOptions['cache']) => {
    const model = await tinyTransfer();
    const options = { ...common, unfreeze: 'conv2', headEpochs: 0, learningRate: 1e-3 };
    const log = await fineTune(model, tinySamples(), { ...options, ...(cache === undefined ? {} : { cache }) });
    return { weights: weightValues(model), losses: losses(log) };
  },
};

function losses({ epochs }: TrainingLog): unknown {
  return epochs.map(({ loss, validationLoss }) => [loss, validationLoss]);
}

describe('results do not depend on the store of features, bit for bit:', () => {
  test.each(Object.entries(verbs))('%s in memory, in a file, in both, and without a cache', async (_, train) => {
    const reference = await train();
    expect(await train(true)).toEqual(reference);
    expect(await train({ memory: 0, directory })).toEqual(reference);
    expect(await train({ memory: 4 * exampleBytes, directory })).toEqual(reference);
    expect(await train(false)).toEqual(reference);
    expect(filesThere()).toEqual([]);
  });

  test.each([2 ** 20, 0, 4 * exampleBytes])('skipped examples leave no gap: %d bytes of memory', async (memory) => {
    const whole = tinySamples();
    const broken = new Set([1, 7, 8, 20, 23]);
    const intact = Array.from({ length: whole.size }, (_, i) => i).filter((index) => !broken.has(index));
    const holes = defineSamples({
      size: whole.size,
      onUnreadable: 'skip',
      target: (index) => whole.target(index),
      read: (index) => {
        if (broken.has(index)) throw new Error('gone');
        return whole.read(index);
      },
    });
    const rest = defineSamples({
      size: intact.length,
      target: (index) => whole.target(intact[index]!),
      read: (index) => whole.read(intact[index]!),
    });
    const [a, b] = [await tinyTransfer(), await tinyTransfer()];
    const log = await trainHead(a, holes, { epochs: 2, batchSize: 4, cache: { memory, directory } });
    await trainHead(b, rest, { epochs: 2, batchSize: 4 });
    expect([log.examples, log.skipped.length]).toEqual([intact.length, broken.size]);
    expect(weightValues(a)).toEqual(weightValues(b));
  });

  test('targets and weights of examples too', async () => {
    const whole = tinySamples();
    const inputs = await Promise.all(Array.from({ length: whole.size }, async (_, i) => (await whole.read(i)).input));
    const targets = inputs.map((_, i) => [i / 7, -i]);
    const samples = fromArrays({ inputs, targets, weights: inputs.map((_, i) => 1 + (i % 3)) });
    const options = { task: 'regression', outputs: ['a', 'b'] } as const;
    const [a, b] = [await tinyTransfer(options), await tinyTransfer(options)];
    const inFile = await trainHead(a, samples, { epochs: 2, batchSize: 7, cache: { memory: 0, directory } });
    const anew = await trainHead(b, samples, { epochs: 2, batchSize: 7, cache: false });
    expect(weightValues(a)).toEqual(weightValues(b));
    expect(inFile.epochs.map(({ loss }) => loss)).toEqual(anew.epochs.map(({ loss }) => loss));
  });
});

describe('the memory limit', () => {
  /** Sizes of the files after the first epoch. */
  async function filesWhile(options: TrainingOptions): Promise<number[]> {
    let seen: number[] = [];
    await trainHead(await tinyTransfer(), tinySamples(), {
      epochs: 1,
      ...options,
      onEpoch: () => {
        seen = filesThere();
      },
    });
    return seen;
  }

  test('features within it stay in memory: no file', async () => {
    mkdirSync(directory);
    expect(await filesWhile({ cache: { memory: 24 * exampleBytes, directory } })).toEqual([]);
  });

  test('by default a small set stays in memory', async () => {
    mkdirSync(directory);
    expect(await filesWhile({ cache: { directory } })).toEqual([]);
  });

  test('other features go to a file, with four bytes for each number', async () => {
    expect(await filesWhile({ cache: { memory: 0, directory } })).toEqual([24 * exampleBytes]);
  });

  test('float16 halves the features', async () => {
    const cache = { memory: 0, directory, precision: 'float16' } as const;
    expect(await filesWhile({ cache })).toEqual([24 * (12 * 2 + 3 * 4)]);
  });

  test('is shared by training and validation', async () => {
    const cache = { memory: 18 * exampleBytes, directory };
    expect(await filesWhile({ cache, validation: 0.25 })).toEqual([6 * exampleBytes]);
  });

  test('counts every view', async () => {
    const augment = { apply: (input: Tensor) => input };
    expect(await filesWhile({ epochs: 3, cache: { memory: 0, directory }, views: 3, augment })).toEqual([
      3 * 24 * exampleBytes,
    ]);
  });
});

describe('nothing is left', () => {
  const cache = () => ({ memory: 0, directory });

  test('by a run that finishes', async () => {
    const model = await tinyTransfer();
    await expectNoLeak(() => fineTune(model, tinySamples(), { epochs: 1, cache: cache(), validation: 0.25 }));
    expect(filesThere()).toEqual([]);
  });

  test('by a signal while features are computed, and while epochs run', async () => {
    const model = await tinyTransfer();
    for (const phase of ['features', 'head']) {
      const abort = new AbortController();
      const log = await expectNoLeak(() =>
        trainHead(model, tinySamples(), {
          solver: 'gradient',
          batchSize: 4,
          validation: 0.25,
          cache: cache(),
          signal: abort.signal,
          onProgress: (progress) => {
            if (progress.phase === phase && progress.done > 20) abort.abort();
          },
        }),
      );
      expect(log.stoppedBy).toBe('signal');
      expect(filesThere()).toEqual([]);
    }
  });

  test.each(['features', 'head'])('by a callback that raises in phase %s', async (phase) => {
    const model = await tinyTransfer();
    const training = () =>
      trainHead(model, tinySamples(), {
        batchSize: 4,
        cache: cache(),
        onProgress: (progress) => {
          if (progress.phase === phase && progress.done > 8) throw new Error('enough');
        },
      });
    await expectNoLeak(() => expect(training()).rejects.toThrow('enough'));
    expect(filesThere()).toEqual([]);
  });

  test('by an invalid validation example', async () => {
    const model = await tinyTransfer();
    const inputs = tinyLabels.map((label) => new Float32Array(768).fill(label === 'plain' ? NaN : 0));
    const bad = fromArrays({ inputs, targets: tinyLabels });
    await expectNoLeak(() =>
      expect(trainHead(model, tinySamples(), { cache: cache(), validation: bad })).rejects.toMatchObject({
        code: 'NOT_FINITE',
      }),
    );
    expect(filesThere()).toEqual([]);
  });
});

describe('float16', () => {
  test('trains to almost the same weights', async () => {
    const [half, single] = [await tinyTransfer(), await tinyTransfer()];
    await trainHead(half, tinySamples(), { epochs: 5, cache: { precision: 'float16' } });
    await trainHead(single, tinySamples(), { epochs: 5 });
    const [a, b] = [weightValues(half), weightValues(single)];
    const kernel = 'head_logits/kernel';
    expect(a[kernel]).not.toEqual(b[kernel]);
    a[kernel]!.forEach((value, i) => {
      expect(value).toBeCloseTo(b[kernel]![i]!, 3);
    });
  });

  test('refuses values beyond its range, with the name of the example', async () => {
    // A convolution without an activation that would limit it.
    const { base } = await tinyTransfer({}, 'conv1');
    const inputs = Array.from({ length: 6 }, (_, i) => new Float32Array(768).fill(i === 4 ? 1e6 : 1));
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => tinyLabels[i % 3]!) });
    const train = (precision: 'float16' | 'float32') =>
      trainHead(replaceHead(base, { labels: tinyLabels }), samples, { epochs: 1, cache: { precision } });
    await expectNoLeak(async () => {
      const error: unknown = await train('float16').catch((found: unknown) => found);
      expect(error).toMatchObject({ code: 'OUT_OF_RANGE', details: { id: 'example 4', largest: 65504 } });
      expect(String(error)).toMatch(
        /trainHead: expected features between -65504 and 65504, which float16 holds, got -?\d+\S* for example 4\. Use cache: \{ precision: 'float32' \}\./,
      );
    }, 2);
    expect((await train('float32')).epochs).toHaveLength(1);
  });
});

describe('options', () => {
  test.each<[unknown, string]>([
    ['yes', "expected cache to be true, false or { precision, memory, directory }, got 'yes'."],
    [null, 'expected cache to be true, false or { precision, memory, directory }, got null.'],
    [{ precision: 'float8' }, "expected cache.precision to be 'float32' or 'float16', got 'float8'."],
    [{ memory: -1 }, 'expected cache.memory to be a whole number from 0, got -1.'],
    [{ memory: NaN }, 'expected cache.memory to be a whole number from 0, got NaN.'],
    [{ memory: '1 GB' }, "expected cache.memory to be a whole number from 0, got '1 GB'."],
    [{ directory: 7 }, 'expected cache.directory to be a folder, in Node, got 7.'],
  ])('cache: %j', async (cache, text) => {
    const model = await tinyTransfer();
    const options = { cache } as TrainingOptions;
    for (const verb of [trainHead, fineTune]) {
      const error: unknown = await verb(model, tinySamples(), options).catch((found: unknown) => found);
      expect(error).toMatchObject({ code: 'INVALID_OPTION', message: `[transferkit] ${verb.name}: ${text}` });
    }
  });

  test('a folder that cannot be written: the error gives advice', async () => {
    writeFileSync(directory, 'a file');
    const model = await tinyTransfer();
    const cache = { memory: 0, directory: join(directory, 'inside') };
    const error: unknown = await expectNoLeak(() =>
      trainHead(model, tinySamples(), { cache }).catch((found: unknown) => found),
    );
    if (!isTransferKitError(error)) throw error;
    expect(error.code).toBe('SAVE_FAILED');
    expect(error.message).toMatch(/expected to keep features in .*inside, but: ENOTDIR.*cache: \{ directory \}/);
  });
});
