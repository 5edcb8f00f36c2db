// Blur against torchvision, the spread of noise, the place of what is covered.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { noise, noisePixels } from '../../../src/data/augment/noise.ts';
import { blur, blurPixels } from '../../../src/data/augment/blur.ts';
import { cutout, cutoutPixels } from '../../../src/data/augment/cutout.ts';
import { pixelRangeOf, type PixelRange } from '../../../src/data/augment/pixelRange.ts';
import { imagePreprocessor, type ImageMode } from '../../../src/index.ts';
import { randomGenerator } from '../../../src/core/random.ts';
import { posterize, posterizePixels } from '../../../src/data/augment/posterize.ts';
import golden from '../../golden/augment.json' with { type: 'json' };
import posterized from '../../golden/posterize.json' with { type: 'json' };
import { backends, largestDifference, valuesOf, wavePicture } from './backends.ts';

const unit: PixelRange = { black: [0, 0, 0], white: [1, 1, 1], bgr: false };
const uneven: PixelRange = { black: [-2, -1, 0], white: [2, 3, 10], bgr: true };

/** A picture [1, height, width, channels] blurred by just this width. */
const blurred = (picture: tf.Tensor4D, sigma: number) =>
  blurPixels(blur({ sigma: [sigma, sigma] }), picture, randomGenerator(1));

describe.each(backends)('on %s', (_, setBackend) => {
  beforeAll(async () => {
    await setBackend();
  });

  test.each(golden.blurs)('blur of $sigma: same values as torchvision', ({ sigma, expected }) => {
    const received = tf.tidy(() => blurred(wavePicture([golden.height, golden.width, 3]), sigma));
    expect(largestDifference(valuesOf(received), expected)).toBeLessThan(2e-6);
  });

  test('a blur wider than the picture, of one channel, and of one pixel', () => {
    const flat = valuesOf(tf.tidy(() => blurred(tf.fill<tf.Rank.R4>([1, 3, 4, 1], 0.5), 9)));
    expect(largestDifference(flat, Array<number>(12).fill(0.5))).toBeLessThan(1e-6);
    expect(valuesOf(tf.tidy(() => blurred(tf.fill<tf.Rank.R4>([1, 1, 1, 3], 2), 2)))).toEqual([2, 2, 2]);
  });

  test('noise has the deviation in the range of the base, and ends at black and white', () => {
    const gray = [0, 1, 5];
    const picture = tf.tidy(() => tf.add<tf.Tensor4D>(tf.zeros([1, 60, 61, 3]), tf.tensor1d(gray)));
    const noisy = valuesOf(tf.tidy(() => noisePixels(noise({ deviation: 0.1 }), picture, randomGenerator(1), uneven)));
    for (const [channel, middle] of gray.entries()) {
      const span = uneven.white[channel]! - uneven.black[channel]!;
      const values = noisy.filter((_, i) => i % 3 === channel).map((value) => (value - middle) / span);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
      expect(Math.abs(mean)).toBeLessThan(0.006);
      expect(Math.abs(deviation - 0.1)).toBeLessThan(0.006);
    }
    const loud = valuesOf(tf.tidy(() => noisePixels(noise({ deviation: 1 }), picture, randomGenerator(1), uneven)));
    for (const channel of [0, 1, 2]) {
      const values = loud.filter((_, i) => i % 3 === channel);
      expect([Math.min(...values), Math.max(...values)]).toEqual([uneven.black[channel], uneven.white[channel]]);
    }
  });

  test('cutout fills one rectangle with gray and keeps the rest', () => {
    const [height, width] = [20, 30];
    const operation = cutout({ area: [0.2, 0.2], aspect: [2, 2], fill: 0.25 });
    const before = valuesOf(wavePicture([height, width, 3]));
    for (const seed of [1, 2, 3, 4]) {
      const covered = valuesOf(
        tf.tidy(() => cutoutPixels(operation, wavePicture([height, width, 3]), randomGenerator(seed), uneven)),
      );
      const places = Array.from({ length: height * width }, (_, i) => i).filter((i) => covered[i * 3 + 2] === 2.5);
      const rows = places.map((place) => Math.floor(place / width));
      const columns = places.map((place) => place % width);
      // 120 pixels, twice as wide as high.
      expect(Math.max(...rows) - Math.min(...rows) + 1).toBe(8);
      expect(Math.max(...columns) - Math.min(...columns) + 1).toBe(15);
      expect(places).toHaveLength(8 * 15);
      expect(covered.slice(places[0]! * 3, places[0]! * 3 + 3)).toEqual([-1, 0, 2.5]);
      expect(covered.filter((value, i) => value !== before[i]).length).toBe(places.length * 3);
    }
  });

  const modes: ImageMode[] = ['tf', 'caffe', 'torch', 'unit', 'raw'];

  test.each(modes)('posterize in mode %s: all byte values as in Pillow', async (mode) => {
    const preprocessor = imagePreprocessor({ mode, size: [16, 16] });
    const range = pixelRangeOf(preprocessor.spec)!;
    const inMode = async (bytes: readonly number[]) => {
      const data = Uint8Array.from(bytes.flatMap((value) => [value, 255 - value, value]));
      const input = await preprocessor.apply({ width: 16, height: 16, data });
      return tf.tidy(() => tf.reshape<tf.Rank.R4>(input, [1, 16, 16, 3]));
    };
    const picture = await inMode(Array.from({ length: 256 }, (_, i) => i));
    for (const [bits, expected] of Object.entries(posterized)) {
      const operation = posterize({ bits: Number(bits) });
      const received = tf.tidy(() => posterizePixels(operation, picture, randomGenerator(1), range));
      const byteOf = (value: number, i: number) => {
        const channel = i % 3;
        const span = range.white[channel]! - range.black[channel]!;
        return Math.round(((value - range.black[channel]!) / span) * 255 * 1e3) / 1e3;
      };
      const bytes = valuesOf(received).map(byteOf);
      const known = expected.flatMap((value, i) => [value, expected[255 - i]!, value]);
      expect(bytes.map((value) => value + 0)).toEqual(known);
    }
    picture.dispose();
  });

  test('cutout of everything', () => {
    const operation = cutout({ area: [1, 1], aspect: [1, 1], fill: 1 });
    const all = valuesOf(tf.tidy(() => cutoutPixels(operation, wavePicture([3, 3, 3]), randomGenerator(1), unit)));
    expect(new Set(all)).toEqual(new Set([1]));
  });
});
