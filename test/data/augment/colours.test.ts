// What becomes of colours: against torchvision, in every mode of pictures, and several changes as one.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  brighten,
  contrastBy,
  followedBy,
  saturate,
  turnHue,
  type ColourChange,
} from '../../../src/data/augment/colourChange.ts';
import { settleOperation, type ImageOperation } from '../../../src/data/augment/operations.ts';
import { pixelRangeOf, type PixelRange } from '../../../src/data/augment/pixelRange.ts';
import { recolour } from '../../../src/data/augment/recolour.ts';
import { randomGenerator } from '../../../src/core/random.ts';
import { imagePreprocessor, type ImageMode } from '../../../src/index.ts';
import { brightness, contrast, grayscale, hue, saturation } from '../../../src/augment.ts';
import type { Random } from '../../../src/data/augment/drawing.ts';
import golden from '../../golden/augment.json' with { type: 'json' };
import { backends, largestDifference, valuesOf, wavePicture } from './backends.ts';

const unit: PixelRange = { black: [0, 0, 0], white: [1, 1, 1], bgr: false };
const size = [golden.height, golden.width, 3] as const;

/** torchvision's weights of red, green and blue add up to 0.9999. */
const tolerance = 2e-4;

function drawChange(operation: ImageOperation, random: Random): ColourChange {
  const settled = settleOperation(operation);
  if (settled?.kind !== 'colours') throw new Error(`${operation.name} is of another kind.`);
  return settled.change(random);
}

const changed = (change: ColourChange, limits?: readonly [number, number]) =>
  valuesOf(tf.tidy(() => recolour(wavePicture(size, limits), change, unit)));

describe.each(backends)('on %s', (_, setBackend) => {
  beforeAll(async () => {
    await setBackend();
  });

  test.each(Object.entries(golden.colours))('%s: same values as torchvision', (call, expected) => {
    const [name, factor] = call.split(' ');
    const changes = { brighten, contrastBy, saturate };
    expect(largestDifference(changed(changes[name as 'saturate'](Number(factor))), expected)).toBeLessThan(tolerance);
  });

  test("three joined changes give the values of torchvision's three single ones", () => {
    const joint = [contrastBy(0.7), saturate(1.3)].reduce(followedBy, brighten(1.2));
    expect(largestDifference(changed(joint, [0.3, 0.7]), golden.jitter)).toBeLessThan(tolerance);
  });

  const modes: ImageMode[] = ['tf', 'caffe', 'torch', 'unit', 'raw', { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.3] }];

  test.each(modes)('pixels of mode %j change as those of 0 … 1 do', async (mode) => {
    const change = [contrastBy(1.6), turnHue(0.15), saturate(0.4)].reduce(followedBy, brighten(1.1));
    const [height, width] = size;
    const preprocessor = imagePreprocessor({ mode, size: [height, width] });
    const inMode = async (pixels: readonly number[]) => {
      const data = Float32Array.from(pixels, (value) => value * 255);
      const input = await preprocessor.apply({ width, height, data });
      return tf.tidy(() => tf.reshape<tf.Rank.R4>(input, [1, height, width, 3]));
    };
    const range = pixelRangeOf(preprocessor.spec)!;
    const picture = await inMode(valuesOf(wavePicture(size)));
    const received = valuesOf(tf.tidy(() => recolour(picture, change, range)));
    const expected = valuesOf(await inMode(changed(change)));
    expect(largestDifference(received, expected) / (range.white[0] - range.black[0])).toBeLessThan(3e-6);
  });
});

test.each(golden.hues)('a hue rotation by $share', ({ share, expected }) => {
  expect(largestDifference(turnHue(share).ofColour, expected)).toBeLessThan(1e-7);
});

test('a whole rotation, and two half ones, change nothing', () => {
  const same = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  expect(largestDifference(turnHue(1).ofColour, same)).toBeLessThan(1e-12);
  expect(largestDifference(followedBy(turnHue(0.5), turnHue(0.5)).ofColour, same)).toBeLessThan(1e-12);
});

test('a change uses the mean of the result of the changes before it', async () => {
  await backends[0]![1]();
  const [first, second] = [contrastBy(0.5), followedBy(brighten(0.8), contrastBy(1.2))];
  const apart = valuesOf(tf.tidy(() => recolour(recolour(wavePicture(size, [0.3, 0.7]), first, unit), second, unit)));
  expect(largestDifference(changed(followedBy(first, second), [0.3, 0.7]), apart)).toBeLessThan(1e-6);
});

describe('random values', () => {
  const random = () => randomGenerator(5);
  const factors = Array.from({ length: 300 }, (_, seed) => {
    return drawChange(brightness({ amount: 0.4 }), randomGenerator(seed)).ofColour[0];
  });

  test('are factors around 1', () => {
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.6);
    expect(Math.min(...factors)).toBeLessThan(0.62);
    expect(Math.max(...factors)).toBeLessThanOrEqual(1.4);
    expect(Math.max(...factors)).toBeGreaterThan(1.38);
  });

  test('are the same factor for all three kinds', () => {
    const factor = drawChange(brightness({ amount: 0.3 }), random()).ofColour[0];
    expect(drawChange(contrast({ amount: 0.3 }), random())).toEqual(contrastBy(factor));
    expect(drawChange(saturation({ amount: 0.3 }), random())).toEqual(saturate(factor));
    expect(drawChange(grayscale(), random())).toEqual(saturate(0));
  });

  test('are rotations in either direction', () => {
    const shares = Array.from({ length: 300 }, (_, seed) => {
      const { ofColour } = drawChange(hue({ amount: 0.25 }), randomGenerator(seed));
      const cosine = (ofColour[0] + ofColour[4] + ofColour[8] - 1) / 2;
      const sine = (ofColour[2] - 0.114 * (1 - cosine)) / (0.886 * (0.492111 / 0.877283));
      return Math.atan2(sine, cosine) / (2 * Math.PI);
    });
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(-0.25);
    expect(Math.min(...shares)).toBeLessThan(-0.24);
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.25);
    expect(Math.max(...shares)).toBeGreaterThan(0.24);
  });
});
