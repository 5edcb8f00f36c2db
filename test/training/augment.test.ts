// Changed inputs: which examples get which seeds in which epoch, with a cache and without, and what is refused.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fineTune, trainHead, type Augmentation, type Progress, type TrainingOptions } from '../../src/index.ts';
import { flip, noise, rotate } from '../../src/augment.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Brightness by the seed. */
const brighter = (input: tf.Tensor, seed: number) => tf.tidy(() => tf.add(input, ((seed % 1000) / 1000 - 0.5) * 0.8));

/** Trains a head and tells the seeds of the calls. */
async function train(options: TrainingOptions) {
  const seeds: number[] = [];
  const augment: Augmentation = {
    apply(input, seed) {
      expect(input.shape).toEqual([16, 16, 3]);
      seeds.push(seed);
      return brighter(input, seed);
    },
  };
  const model = await tinyTransfer();
  const log = await expectNoLeak(() => trainHead(model, tinySamples(), { batchSize: 5, ...options, augment }));
  return { seeds, log, weights: weightValues(model) };
}

describe('a number of views', () => {
  test.each([1, 3])('%d of each example are computed once, each with its own seed', async (views) => {
    const { seeds, log } = await train({ epochs: 4, views });
    expect(seeds).toHaveLength(24 * views);
    expect(new Set(seeds).size).toBe(24 * views);
    expect(log.examples).toBe(24);
    expect(log.epochs).toHaveLength(4);
    expect(log.cachedUpTo).toBeDefined();
  });

  test('a view without an epoch is not computed', async () => {
    expect(await train({ epochs: 2, views: 5 })).toMatchObject({ seeds: { length: 24 * 2 } });
  });

  test('epoch e trains on view e mod n, cached in memory, in a file or not at all', async () => {
    const kept = await train({ epochs: 6, views: 3 });
    expect((await train({ epochs: 6, views: 3, cache: { memory: 0 } })).weights).toEqual(kept.weights);
    const streamed = await train({ epochs: 6, views: 3, cache: false });
    expect(streamed.weights).toEqual(kept.weights);
    expect(streamed.seeds).toHaveLength(24 * 6);
    expect(new Set(streamed.seeds)).toEqual(new Set(kept.seeds));
    expect((await train({ epochs: 6, views: 2 })).weights).not.toEqual(kept.weights);
    expect((await train({ epochs: 6, views: 1 })).weights).not.toEqual(kept.weights);
  });

  test('progress counts every view', async () => {
    const seen: Progress[] = [];
    await train({ epochs: 2, onProgress: (progress) => seen.push(progress), validation: 0.25, views: 2 });
    const features = seen.filter(({ phase }) => phase === 'features');
    expect(features.map(({ total }) => total)).toEqual(features.map(() => 2 * 18 + 6));
    expect(features.at(-1)).toMatchObject({ done: 42, secondsLeft: 0 });
  });
});

describe('fresh views', () => {
  test('are the default: every epoch has its own view, equal to cached views of the same number', async () => {
    const { seeds, weights, log } = await train({ epochs: 3 });
    expect(new Set(seeds).size).toBe(24 * 3);
    expect(log.cachedUpTo).toBeUndefined();
    const kept = await train({ epochs: 3, views: 3 });
    expect([...kept.seeds].sort()).toEqual([...seeds].sort());
    expect(kept.weights).toEqual(weights);
    expect((await train({ epochs: 3, views: 'fresh', cache: false })).weights).toEqual(weights);
  });

  test('features of validation are cached and not augmented', async () => {
    const seen: Progress[] = [];
    const validation = tinySamples(3, 8);
    let reads = 0;
    const read = (index: number) => (reads++, validation.read(index));
    const onProgress = (progress: Progress) => seen.push(progress);
    const fresh = await train({ epochs: 2, validation: { ...validation, read }, onProgress });
    expect(reads).toBe(9);
    expect(seen.filter(({ phase }) => phase === 'features').map(({ total }) => total)).toEqual([9, 9, 9]);
    for (const options of [{ views: 2 }, { cache: false }]) {
      const { log } = await train({ epochs: 2, validation, ...options });
      expect(log.epochs.map(({ validationLoss }) => validationLoss)).toEqual(
        fresh.log.epochs.map(({ validationLoss }) => validationLoss),
      );
    }
  });

  test('without a frozen prefix: the same', async () => {
    const seeds = new Set<number>();
    const augment = { apply: (input: tf.Tensor, seed: number) => (seeds.add(seed), input) };
    const model = await tinyTransfer();
    await fineTune(model, tinySamples(), { unfreeze: 'all', headEpochs: 0, epochs: 2, augment });
    expect(seeds.size).toBe(48);
    await fineTune(model, tinySamples(), { unfreeze: 'all', epochs: 4, augment, views: 2 });
    expect(seeds.size).toBe(48);
  });

  test('a signal stops between two batches', async () => {
    const abort = new AbortController();
    const onProgress = ({ phase, done }: Progress) => {
      if (phase === 'head' && done >= 10) abort.abort();
    };
    const { log } = await train({ epochs: 3, validation: 0.25, onProgress, signal: abort.signal });
    expect(log).toMatchObject({ stoppedBy: 'signal', epochs: [] });
  });
});

describe('progress', () => {
  const augmentSeconds = async (options: TrainingOptions) => {
    const seen: Progress[] = [];
    const augment = {
      apply: async (input: tf.Tensor) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return input;
      },
    };
    const onProgress = (progress: Progress) => seen.push(progress);
    await trainHead(await tinyTransfer(), tinySamples(), { epochs: 2, augment, ...options, onProgress });
    return (phase: Progress['phase']) => seen.filter((each) => each.phase === phase).map((each) => each.augmentSeconds);
  };

  test('reports the time of augmentation for each phase', async () => {
    const fresh = (await augmentSeconds({}))('head');
    expect(fresh[0]).toBe(0);
    expect(fresh.at(-1)).toBeGreaterThan(0.09);
    const kept = await augmentSeconds({ views: 1 });
    expect(kept('features').at(-1)).toBeGreaterThan(0.045);
    expect(new Set(kept('head'))).toEqual(new Set([0]));
  });

  test('reports no time without augmentation', async () => {
    expect(new Set((await augmentSeconds({ augment: 'none' }))('head'))).toEqual(new Set([undefined]));
  });
});

describe('operations on pictures', () => {
  const weightsWith = async (options: TrainingOptions) => {
    const model = await tinyTransfer();
    await expectNoLeak(() => trainHead(model, tinySamples(), { epochs: 2, batchSize: 5, ...options }));
    return weightValues(model);
  };

  test('by name, or in a list; cached or not, the seed determines them', async () => {
    const light = await weightsWith({ augment: 'light' });
    expect(await weightsWith({ augment: 'light' })).toEqual(light);
    expect(await weightsWith({ augment: 'light', views: 2 })).toEqual(light);
    expect(await weightsWith({ augment: 'light', cache: false })).toEqual(light);
    expect(await weightsWith({ augment: 'light', seed: 1 })).not.toEqual(light);
    const plain = await weightsWith({});
    expect(light).not.toEqual(plain);
    expect(await weightsWith({ augment: 'none' })).toEqual(plain);
    expect(await weightsWith({ augment: [] })).toEqual(plain);
    expect(await weightsWith({ augment: [rotate({ probability: 0 })] })).toEqual(plain);
    expect(await weightsWith({ augment: [flip()] })).not.toEqual(plain);
  });

  test('that need the range of the base are refused before reading if it is unknown', async () => {
    const model = await tinyTransfer();
    let reads = 0;
    const samples = tinySamples();
    const read = (index: number) => (reads++, samples.read(index));
    const training = () => trainHead(model, { ...samples, read }, { augment: [flip(), noise()] });
    await expectNoLeak(() =>
      expect(training()).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message:
          '[transferkit] trainHead: expected a base that takes pictures of one or three channels in a known range for noise() in ' +
          "augment, got one that does not say which values pixels have. Load it with preprocess: 'tf' or another mode, or " +
          "{ kind: 'tensor', range: [black, white] }; or give a function of your own: augment: { apply(input, seed) }.",
      }),
    );
    expect(reads).toBe(0);
  });
});

describe('seeds', () => {
  test('the same seed gives the same weights, another one gives others', async () => {
    const views = 2;
    const [first, again, other] = [
      await train({ seed: 1, views }),
      await train({ seed: 1, views }),
      await train({ seed: 2, views }),
    ];
    expect(again.weights).toEqual(first.weights);
    expect(again.seeds).toEqual(first.seeds);
    expect(other.seeds.filter((seed) => first.seeds.includes(seed))).toEqual([]);
  });

  test('an example keeps its seed if earlier ones cannot be read', async () => {
    const seedsByValue = async (broken: ReadonlySet<number>) => {
      const samples = tinySamples();
      const seeds = new Map<number, number>();
      const apply = async (input: tf.Tensor, seed: number) => {
        seeds.set((await input.data())[0]!, seed);
        return input;
      };
      await trainHead(
        await tinyTransfer(),
        {
          ...samples,
          onUnreadable: 'skip',
          read: (index) => {
            if (broken.has(index)) throw new Error('gone');
            return samples.read(index);
          },
        },
        { epochs: 1, augment: { apply } },
      );
      return seeds;
    };
    const all = await seedsByValue(new Set());
    const some = await seedsByValue(new Set([0, 5]));
    expect([all.size, some.size]).toEqual([24, 22]);
    for (const [value, seed] of some) expect(all.get(value)).toBe(seed);
  });
});

test('a function may return its input, free it, or be asynchronous', async () => {
  const model = await tinyTransfer();
  const functions: Augmentation['apply'][] = [
    (input) => input,
    (input) => {
      const changed = tf.neg(input);
      input.dispose();
      return changed;
    },
    async (input, seed) => {
      await Promise.resolve();
      return brighter(input, seed);
    },
  ];
  for (const apply of functions) {
    for (const cache of [true, false]) {
      await expectNoLeak(() => trainHead(model, tinySamples(), { epochs: 1, cache, views: 2, augment: { apply } }));
    }
  }
});

describe('what is refused', () => {
  const wrong: [string, unknown, string, string][] = [
    [
      'another shape',
      (x: tf.Tensor) => tf.reshape(x, [256, 3]),
      'WRONG_SHAPE',
      'to keep the shape [16, 16, 3], got [256, 3] for',
    ],
    ['another type', (x: tf.Tensor) => tf.cast(x, 'int32'), 'WRONG_DTYPE', 'to keep the type float32, got int32 for'],
    [
      'infinity',
      (x: tf.Tensor) => tf.tidy(() => tf.div(x, 0)),
      'NOT_FINITE',
      'to give finite values, got NaN or infinity for',
    ],
    ['nothing', () => undefined, 'INVALID_OPTION', 'to give a tensor, got undefined for'],
    [
      'a freed tensor',
      (x: tf.Tensor) => (x.dispose(), x),
      'INVALID_OPTION',
      'to give a tensor, got a disposed one for',
    ],
  ];

  test.each(wrong)('%s', async (_, apply, code, text) => {
    const model = await tinyTransfer();
    const augment = { apply } as Augmentation;
    for (const cache of [true, false]) {
      const training = () => trainHead(model, tinySamples(), { epochs: 1, cache, augment });
      const error: unknown = await expectNoLeak(() => training().catch((found: unknown) => found));
      expect(error).toMatchObject({ code });
      expect(String(error)).toContain(`trainHead: expected augment.apply ${text} example `);
    }
  });

  test('a function that raises', async () => {
    const model = await tinyTransfer();
    let calls = 0;
    const apply = (input: tf.Tensor) => {
      if (calls++ > 7) throw new Error('enough');
      return input;
    };
    const training = () => trainHead(model, tinySamples(), { epochs: 1, augment: { apply } });
    await expectNoLeak(() => expect(training()).rejects.toThrow('enough'));
  });

  const known =
    "augment to be 'none', 'light', 'standard', 'strong', 'trivial', a list of operations or { apply(input, seed) }";

  test.each<[unknown, string]>([
    [{ augment: null }, `${known}, got null.`],
    [{ augment: {} }, `${known}, got {}.`],
    [{ augment: 'heavy' }, "augment to be 'none', 'light', 'standard', 'strong' or 'trivial', got 'heavy'."],
    [{ augment: { views: 2, apply: brighter } }, 'views beside augment, not in it, got {"views":2}.'],
    [
      { augment: [flip] },
      'augment to list operations such as flip() or rotate({ degrees: 10 }), got the function flip: call it.',
    ],
    [
      { augment: [{ name: 'turn' }] },
      'augment to list operations such as flip() or rotate({ degrees: 10 }), got {"name":"turn"}.',
    ],
    [{ views: 0, augment: 'light' }, 'views to be a whole number from 1, got 0.'],
    [{ views: 2 }, 'augment beside views, which are of changed inputs, got no augment.'],
    [{ views: 1.5, augment: 'light' }, 'views to be a whole number from 1, got 1.5.'],
    [{ views: 'all', augment: 'light' }, "views to be 'fresh' or a whole number from 1, got 'all'."],
  ])('%j', async (options, text) => {
    const model = await tinyTransfer();
    const training = trainHead(model, tinySamples(), options as TrainingOptions);
    await expect(training).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: `[transferkit] trainHead: expected ${text}`,
    });
  });
});
