// Batches of pictures: the same changes by the same seeds whatever else is in the batch, values that stay in range, no
// tensor left behind, the same on every backend; what bases are refused.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { augmentPictures } from '../../../src/data/augment/augmentPictures.ts';
import { spanOf } from '../../../src/data/augment/pixelRange.ts';
import { operations } from '../../../src/data/augment/operations.ts';
import { keysOf } from '../../../src/core/names.ts';
import { settlePictures } from '../../../src/data/augment/settlePictures.ts';
import {
  loadBase,
  type AugmentPreset,
  type Base,
  type ImageOperation,
  type PreprocessOption,
} from '../../../src/index.ts';
import {
  blur,
  brightness,
  cutout,
  flip,
  grayscale,
  hue,
  noise,
  perspective,
  rotate,
  saturation,
  shear,
  shift,
  zoom,
} from '../../../src/augment.ts';
import { expectNoLeak } from '../../support/tensors.ts';
import { backends, largestDifference, valuesOf, wavePicture } from './backends.ts';

/** Every kind of step, with and without a neighbour. */
const everything: ImageOperation[] = [
  flip(),
  rotate({ degrees: 40 }),
  brightness({ amount: 0.5, probability: 0.7 }),
  hue({ amount: 0.2 }),
  blur({ probability: 0.4 }),
  shear({ fill: 0.3, probability: 0.6 }),
  noise({ probability: 0.5 }),
  cutout(),
  shift({ fill: 'nearest', probability: 0.6 }),
  saturation({ amount: 0.8 }),
  grayscale(),
];

const side = 12;

async function baseOf(preprocess: PreprocessOption | undefined, shape: number[] = [side, side, 3]): Promise<Base> {
  const network = sequential();
  network.add(layers.flatten({ inputShape: shape }));
  network.add(layers.dense({ units: 4, activation: 'relu' }));
  network.add(layers.dense({ units: 2 }));
  const base = await loadBase(network, preprocess === undefined ? {} : { preprocess });
  network.dispose();
  return base;
}

/** Pictures in the values of a base. */
function batchFor(base: Base, places: readonly number[]): tf.Tensor {
  const { range } = settlePictures([brightness()], base)!;
  return tf.tidy(() => {
    const pictures = tf.concat(places.map((place) => wavePicture([side, side, 3], [0, 1], place)));
    const unit = range.bgr ? tf.reverse(pictures, 3) : pictures;
    return tf.add(tf.mul(unit, tf.tensor1d([...spanOf(range)])), tf.tensor1d([...range.black]));
  });
}

const places = [0, 1, 2, 3, 4, 5, 6, 7];
const seeds = places.map((place) => 1000 + 17 * place);

describe.each(backends)('on %s', (_, setBackend) => {
  beforeAll(async () => {
    await setBackend();
  });

  test.each(['tf', 'caffe', 'torch', 'unit', 'raw'] as const)('pixels of mode %s stay in their range', async (mode) => {
    const base = await baseOf(mode);
    const each = keysOf(operations).map((name) => [operations[name].make({ probability: 1 })]);
    for (const augment of [everything, ...each, 'light', 'standard', 'strong', 'trivial'] as const) {
      const settled = settlePictures(augment, base)!;
      const batch = batchFor(base, places);
      const after = await expectNoLeak(() => augmentPictures(settled, batch, seeds), 1);
      expect(after.shape).toEqual(batch.shape);
      const [before, values] = [valuesOf(batch), valuesOf(after)];
      expect(largestDifference(values, before)).toBeGreaterThan(0);
      for (const channel of [0, 1, 2]) {
        const slack = 1e-5 * spanOf(settled.range)[channel]!;
        const ofChannel = values.filter((_, i) => i % 3 === channel);
        expect(Math.min(...ofChannel)).toBeGreaterThanOrEqual(settled.range.black[channel]! - slack);
        expect(Math.max(...ofChannel)).toBeLessThanOrEqual(settled.range.white[channel]! + slack);
      }
    }
    base.dispose();
  });

  test('the seed alone determines a changed picture, bit for bit', async () => {
    const base = await baseOf('torch');
    const settled = settlePictures(everything, base)!;
    const changed = (chosen: readonly number[]) => {
      const batch = batchFor(base, chosen);
      const values = valuesOf(augmentPictures(settled, batch, chosen.map((place) => seeds[place]!))); // prettier-ignore
      batch.dispose();
      return chosen.map((_, i) => values.slice(i * side * side * 3, (i + 1) * side * side * 3));
    };
    const together = changed(places);
    expect(changed(places)).toEqual(together);
    expect(changed([...places].reverse()).reverse()).toEqual(together);
    for (const place of places) expect(changed([place])).toEqual([together[place]]);
    const texts = together.map((values) => values.join());
    expect(new Set(texts).size).toBe(places.length);
    base.dispose();
  });

  test('a seed gives the same picture as on the cpu backend', async () => {
    const run = async () => {
      const base = await baseOf('tf');
      const batch = batchFor(base, places);
      const values = valuesOf(augmentPictures(settlePictures(everything, base)!, batch, seeds));
      batch.dispose();
      base.dispose();
      return values;
    };
    const here = await run();
    await backends[0]![1]();
    const expected = await run();
    await setBackend();
    expect(largestDifference(here, expected)).toBeLessThan(2e-5);
  });

  test('a picture without any change is the same bit for bit', async () => {
    const base = await baseOf('torch');
    const never = everything.map((operation) => ({ ...operation, probability: 0 }));
    const still = [rotate({ degrees: 0 }), zoom({ range: [1, 1] }), shift({ horizontal: 0, vertical: 0 })];
    const batch = batchFor(base, places);
    for (const augment of [never, still]) {
      const after = augmentPictures(settlePictures(augment, base)!, batch, seeds);
      expect(after.dataSync()).toEqual(batch.dataSync());
      after.dispose();
    }
    batch.dispose();
    base.dispose();
  });

  test('an operation that fails leaks no tensor', async () => {
    const base = await baseOf('torch');
    const settled = settlePictures([flip({ probability: 1 }), blur({ probability: 1 }), noise()], base)!;
    const batch = tf.zeros([2, side, side, 4]);
    await expectNoLeak(() => {
      expect(() => augmentPictures(settled, batch, [1, 2])).toThrow();
    });
    batch.dispose();
    base.dispose();
  });

  test('pictures of one channel are moved', async () => {
    const base = await baseOf(undefined, [side, side, 1]);
    const settled = settlePictures([flip({ probability: 1 })], base)!;
    const batch = wavePicture([side, side, 1]);
    const after = augmentPictures(settled, batch, [1]);
    expect(after.dataSync()).toEqual(tf.tidy(() => tf.reverse(batch, 2).dataSync()));
    tf.dispose([batch, after]);
    base.dispose();
  });
});

test('the share of changed pictures is the probability', async () => {
  await backends[0]![1]();
  const base = await baseOf('unit');
  const many = Array.from({ length: 400 }, (_, i) => i);
  const settled = settlePictures([flip({ probability: 0.2 })], base)!;
  const batch = tf.tidy(() => tf.tile(wavePicture([side, side, 3]), [many.length, 1, 1, 1]));
  const after = augmentPictures(settled, batch, many);
  const first = (tensor: tf.Tensor) => tf.tidy(() => [...tf.slice(tensor, [0, 0, 0, 0], [-1, 1, 1, 1]).dataSync()]);
  const before = first(batch);
  const changed = first(after).filter((value, i) => value !== before[i]).length / many.length;
  expect(Math.abs(changed - 0.2)).toBeLessThan(0.05);
  tf.dispose([batch, after]);
  base.dispose();
});

describe('bases', () => {
  const refusal = async (
    augment: AugmentPreset | ImageOperation[],
    preprocess?: PreprocessOption,
    shape?: number[],
  ) => {
    const base = await baseOf(preprocess, shape);
    try {
      settlePictures(augment, base);
      return 'none';
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_OPTION' });
      return (error as Error).message.replace('[transferkit] expected a base that takes pictures ', '');
    } finally {
      base.dispose();
    }
  };
  const own = 'or give a function of your own: augment: { apply(input, seed) }.';
  const threeChannels = (name: string) =>
    `of one or three channels in a known range for ${name}() in augment, got one that `;

  test('with a known range support all operations', async () => {
    expect(await refusal(everything, 'caffe')).toBe('none');
    expect(await refusal(everything, { kind: 'tensor', range: [-1, 1] })).toBe('none');
  });

  test('without a known range support operations that move pixels', async () => {
    expect(await refusal('light')).toBe('none');
    expect(await refusal([perspective({ fill: 'nearest' })])).toBe('none');
    expect(await refusal('standard')).toBe(
      `${threeChannels('brightness')}does not say which values pixels have. Load it with preprocess: 'tf' or another mode, or ` +
        `{ kind: 'tensor', range: [black, white] }; ${own}`,
    );
    expect(await refusal([flip(), rotate({ fill: 0 })])).toContain(threeChannels('rotate'));
    expect(await refusal([blur()])).toContain(threeChannels('blur'));
  });

  test('with one channel support all operations, with four those that move pixels', async () => {
    const range = { kind: 'tensor', range: [0, 1] } as const;
    expect(await refusal(everything, range, [side, side, 1])).toBe('none');
    expect(await refusal(everything, 'unit', [side, side, 1])).toBe('none');
    expect(await refusal('light', 'unit', [side, side, 4])).toBe('none');
    expect(await refusal([flip(), noise()], range, [side, side, 4])).toBe(
      `${threeChannels('noise')}takes [12, 12, 4]. List geometric operations alone, such as flip() and rotate(), which fill with ` +
        `'reflect' or 'nearest'; ${own}`,
    );
  });

  test('without picture inputs support no operation', async () => {
    expect(await refusal([flip()], undefined, [side, side])).toBe(
      '[height, width, channels] of type float32 for augment, got one that takes [12, 12] of type float32. Give a function of ' +
        'your own: augment: { apply(input, seed) }.',
    );
    expect(await refusal('none', undefined, [side, side])).toBe('none');
  });
});
