// The verb previewAugmentation: pictures in bytes, the views that training would see, what it refuses.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fromArrays,
  loadBase,
  previewAugmentation,
  replaceHead,
  trainHead,
  useBackend,
  type Base,
  type Picture,
  type PreprocessOption,
} from '../../../src/index.ts';
import {
  blur,
  brightness,
  contrast,
  cutout,
  flip,
  grayscale,
  hue,
  noise,
  rotate,
  saturation,
} from '../../../src/augment.ts';
import { randomGenerator } from '../../../src/core/random.ts';
import { expectNoLeak } from '../../support/tensors.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

const [height, width] = [6, 8];

function photo(seed: number): Picture {
  const random = randomGenerator(seed);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256)) };
}

async function smallBase(preprocess?: PreprocessOption, channels = 3): Promise<Base> {
  const network = sequential();
  network.add(layers.flatten({ inputShape: [height, width, channels] }));
  network.add(layers.dense({ units: 4, activation: 'relu' }));
  network.add(layers.dense({ units: 2 }));
  const base = await loadBase(network, preprocess === undefined ? {} : { preprocess });
  network.dispose();
  return base;
}

describe('pictures', () => {
  test.each(['tf', 'caffe', 'torch', 'unit', 'raw'] as const)('of mode %s are returned unchanged', async (mode) => {
    const base = await smallBase(mode);
    const [preview] = await previewAugmentation(base, [photo(1)], { augment: 'none', views: 2 });
    expect(preview!.before).toEqual({ width, height, data: Uint8ClampedArray.from(photo(1).data) });
    expect(preview!.after).toEqual([preview!.before, preview!.before]);
    base.dispose();
  });

  test.each(['tf', 'unit', 'raw', { mean: 0.3, std: 0.2 }])(
    'of one channel are changed like gray ones of three: %j',
    async (mode) => {
      const preprocess = typeof mode === 'string' ? (mode as 'tf') : ({ kind: 'image', mode } as const);
      const [gray, coloured] = [await smallBase(preprocess, 1), await smallBase(preprocess)];
      const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 256);
      const augment = [
        flip(),
        rotate({ degrees: 40, fill: 0.5 }),
        brightness({ amount: 0.4 }),
        contrast({ amount: 0.5 }),
        saturation({ amount: 0.5 }),
        hue({ amount: 0.3 }),
        grayscale({ probability: 0.5 }),
        blur(),
        cutout(),
      ];
      const views = 6;
      const [one] = await expectNoLeak(() => previewAugmentation(gray, [{ width, height, data }], { augment, views }));
      const [three] = await previewAugmentation(coloured, [{ width, height, data }], { augment, views });
      expect([...one!.before.data]).toEqual([...data].flatMap((value) => [value, value, value]));
      for (const [view, { data: pixels }] of one!.after.entries()) {
        expect(pixels).toHaveLength(width * height * 3);
        for (const [i, value] of pixels.entries()) {
          expect(Math.abs(value - three!.after[view]!.data[i]!)).toBeLessThanOrEqual(1); // rounded to bytes
        }
      }
      expect(new Set(one!.after.map((view) => view.data.join())).size).toBeGreaterThan(1);
      for (const base of [gray, coloured]) base.dispose();
    },
  );

  test('are mirrored, one list of views for each input', async () => {
    const base = await smallBase('caffe');
    const augment = [flip({ probability: 1 })];
    const previews = await expectNoLeak(() => previewAugmentation(base, [photo(1), photo(2)], { augment, views: 3 }));
    expect(previews.map(({ after }) => after.length)).toEqual([3, 3]);
    for (const [i, { before, after }] of previews.entries()) {
      expect([...before.data]).toEqual([...photo(i + 1).data]);
      const mirrored = [...before.data.keys()].map((at) => {
        const [pixel, channel] = [Math.floor(at / 3), at % 3];
        const column = pixel % width;
        return before.data[(pixel - column + (width - 1 - column)) * 3 + channel];
      });
      for (const view of after) expect([...view.data]).toEqual(mirrored);
    }
    base.dispose();
  });

  test('are four views of the standard preset by default; the seed determines them', async () => {
    const base = await smallBase('tf');
    const previews = await previewAugmentation(base, [photo(1)]);
    expect(previews[0]!.after).toHaveLength(4);
    expect(new Set(previews[0]!.after.map(({ data }) => data.join())).size).toBe(4);
    expect(await previewAugmentation(base, [photo(1)], { augment: 'standard', views: 4, seed: 0 })).toEqual(previews);
    expect(await previewAugmentation(base, [photo(1)], { seed: 1 })).not.toEqual(previews);
    base.dispose();
  });
});

test('are those of the epochs of a run with the same seed', async () => {
  const model = replaceHead(await smallBase('raw'), { labels: ['a', 'b'] });
  const inputs = [1, 2, 3, 4].map(photo);
  const samples = fromArrays({ inputs, targets: ['a', 'b', 'a', 'b'] });
  const seen: string[] = [];
  const apply = (input: tf.Tensor, seed: number) => {
    const changed = tf.tidy(() => tf.clipByValue(tf.add(input, seed % 100), 0, 255));
    seen.push(changed.dataSync().join());
    return changed;
  };
  await expectNoLeak(() => trainHead(model, samples, { epochs: 3, seed: 5, augment: { apply } }));
  const trained = new Set(seen);
  seen.length = 0;
  await expectNoLeak(() => previewAugmentation(model, inputs, { views: 3, seed: 5, augment: { apply } }));
  expect(new Set(seen)).toEqual(trained);
  expect(trained.size).toBe(12);
  model.dispose();
});

describe('is refused:', () => {
  const error = async (base: Base, options: object, inputs: unknown[] = [photo(1)]) =>
    String(
      await expectNoLeak(() => previewAugmentation(base, inputs, options).catch((reason: unknown) => reason)),
    ).replace('TransferKitError: [transferkit] previewAugmentation: expected ', '');

  test('options', async () => {
    const base = await smallBase('tf');
    expect(await error(base, { views: 0 })).toBe('views to be a whole number from 1, got 0.');
    expect(await error(base, { seed: -1 })).toBe('seed to be a whole number from 0, got -1.');
    expect(await error(base, { augment: 'heavy' })).toBe(
      "augment to be 'none', 'light', 'standard', 'strong' or 'trivial', got 'heavy'.",
    );
    base.dispose();
    expect(await error(base, {})).toEqual(
      expect.stringMatching(/^a usable base, got '.*' after its dispose\(\)\. Load it again\.$/),
    );
  });

  test('bases whose inputs cannot be shown as pictures', async () => {
    const unknown = await smallBase();
    const advice = "Load it with preprocess: 'tf' or another mode, if it takes pictures.";
    expect(await error(unknown, { augment: [flip()] })).toBe(
      `a base that takes pictures [height, width, 1 or 3] in a known range, got one that takes [6, 8, 3] and does not say which ` +
        `values pixels have. ${advice}`,
    );
    expect(await error(unknown, { augment: [noise()] })).toContain('in a known range for noise() in augment');
    const gray = await smallBase({ kind: 'tensor', range: [0, 1] }, 4);
    expect(await error(gray, { augment: [flip()] })).toBe(
      `a base that takes pictures [height, width, 1 or 3] in a known range, got one that takes [6, 8, 4]. ${advice}`,
    );
    unknown.dispose();
    gray.dispose();
  });

  test('inputs that cannot be read', async () => {
    const base = await smallBase('tf');
    expect(await error(base, {}, [photo(1), 'nowhere.jpg'])).toContain('nowhere.jpg');
    base.dispose();
  });
});
