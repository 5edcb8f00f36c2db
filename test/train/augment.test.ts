// Changed inputs: which examples get which seeds in which epoch, with a cache and without, and what is refused.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fineTune, trainHead, type Augmentation, type Progress, type TrainingOptions } from '../../src/index.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Brightness by the seed. */
const brighter = (input: tf.Tensor, seed: number) => tf.tidy(() => tf.add(input, ((seed % 1000) / 1000 - 0.5) * 0.8));

/** Trains a head and tells the seeds of the calls. */
async function train(options: TrainingOptions, views?: number) {
  const seeds: number[] = [];
  const augment: Augmentation = {
    ...(views === undefined ? {} : { views }),
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

describe('with a cache', () => {
  test.each([1, 3])('%d views of each example are computed once, each by a seed of its own', async (views) => {
    const { seeds, log } = await train({ epochs: 4 }, views);
    expect(seeds).toHaveLength(24 * views);
    expect(new Set(seeds).size).toBe(24 * views);
    expect(log.examples).toBe(24);
    expect(log.epochs).toHaveLength(4);
  });

  test('one view is the default', async () => {
    expect(await train({ epochs: 2 })).toMatchObject({ seeds: { length: 24 } });
  });

  test('a view that no epoch comes to is not computed', async () => {
    expect(await train({ epochs: 2 }, 5)).toMatchObject({ seeds: { length: 24 * 2 } });
    const model = await tinyTransfer();
    let calls = 0;
    const augment = { views: 4, apply: (input: tf.Tensor) => (calls++, input) };
    // One epoch of the head, one of everything.
    await fineTune(model, tinySamples(), { unfreeze: 'conv2', epochs: 1, augment });
    expect(calls).toBe(48);
  });

  test('epoch e trains on view e mod n, kept in memory or in a file', async () => {
    const kept = await train({ epochs: 6 }, 3);
    expect((await train({ epochs: 6, cache: { memory: 0 } }, 3)).weights).toEqual(kept.weights);
    expect((await train({ epochs: 6 }, 2)).weights).not.toEqual(kept.weights);
    expect((await train({ epochs: 6 }, 1)).weights).not.toEqual(kept.weights);
  });

  test('as many views as epochs are what training without a cache sees', async () => {
    const kept = await train({ epochs: 3 }, 3);
    const anew = await train({ epochs: 3, cache: false });
    expect([...anew.seeds].sort()).toEqual([...kept.seeds].sort());
    expect(anew.weights).toEqual(kept.weights);
  });

  test('progress counts every view', async () => {
    const seen: Progress[] = [];
    await train({ epochs: 2, onProgress: (progress) => seen.push(progress), validation: 0.25 }, 2);
    const features = seen.filter(({ phase }) => phase === 'features');
    expect(features.map(({ total }) => total)).toEqual(features.map(() => 2 * 18 + 6));
    expect(features.at(-1)).toMatchObject({ done: 42, secondsLeft: 0 });
  });
});

describe('without a cache', () => {
  test('every epoch draws anew, whatever the views', async () => {
    const { seeds, weights } = await train({ epochs: 3, cache: false }, 1);
    expect(new Set(seeds).size).toBe(24 * 3);
    expect((await train({ epochs: 3, cache: false }, 2)).weights).toEqual(weights);
  });

  test('nothing frozen in front: the same', async () => {
    const seeds = new Set<number>();
    const augment = { views: 1, apply: (input: tf.Tensor, seed: number) => (seeds.add(seed), input) };
    const model = await tinyTransfer();
    await fineTune(model, tinySamples(), { unfreeze: 'all', headEpochs: 0, epochs: 2, augment });
    expect(seeds.size).toBe(48);
  });
});

describe('seeds', () => {
  test('the same seed gives the same weights, another one others', async () => {
    const [first, again, other] = [
      await train({ seed: 1 }, 2),
      await train({ seed: 1 }, 2),
      await train({ seed: 2 }, 2),
    ];
    expect(again.weights).toEqual(first.weights);
    expect(again.seeds).toEqual(first.seeds);
    expect(other.seeds.filter((seed) => first.seeds.includes(seed))).toEqual([]);
  });

  test('an example keeps its seed when others before it cannot be read', async () => {
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

test('validation is not changed', async () => {
  const validation = tinySamples(3, 8);
  const { seeds, log } = await train({ epochs: 2, validation, cache: false });
  expect(seeds).toHaveLength(48);
  const cached = await train({ epochs: 2, validation }, 2);
  expect(log.epochs.map(({ validationLoss }) => validationLoss)).toEqual(
    cached.log.epochs.map(({ validationLoss }) => validationLoss),
  );
});

test('a function may hand its input back, free it, or take its time', async () => {
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
      await expectNoLeak(() => trainHead(model, tinySamples(), { epochs: 1, cache, augment: { views: 2, apply } }));
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

  test.each<[unknown, string]>([
    [null, 'expected augment to be { apply(input, seed) }, got null.'],
    [{ views: 2 }, 'expected augment to be { apply(input, seed) }, got [object Object].'],
    [{ views: 0, apply: brighter }, 'expected augment.views to be a whole number from 1, got 0.'],
    [{ views: 1.5, apply: brighter }, 'expected augment.views to be a whole number from 1, got 1.5.'],
  ])('augment: %j', async (augment, text) => {
    const model = await tinyTransfer();
    const training = trainHead(model, tinySamples(), { augment } as TrainingOptions);
    await expect(training).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: `[transferkit] trainHead: ${text}`,
    });
  });
});
