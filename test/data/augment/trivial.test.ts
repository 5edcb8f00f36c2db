// TrivialAugment against torchvision: every operation, and the strengths that are drawn.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawChange, trivialChanges } from '../../../src/data/augment/trivial.ts';
import type { PixelRange } from '../../../src/data/augment/pixelRange.ts';
import { keysOf } from '../../../src/core/names.ts';
import { randomGenerator } from '../../../src/core/random.ts';
import golden from '../../golden/trivial.json' with { type: 'json' };
import { expectNoLeak } from '../../support/tensors.ts';
import { backends, largestDifference, valuesOf } from './backends.ts';

type Name = keyof typeof trivialChanges;

/** Black and white of each channel of a base; the first one as most bases have it. */
const ranges: Readonly<Record<string, PixelRange>> = {
  tf: { black: [-1, -1, -1], white: [1, 1, 1], bgr: false },
  raw: { black: [0, 0, 0], white: [255, 255, 255], bgr: false },
  torch: { black: [-2.1179, -2.0357, -1.8044], white: [2.2489, 2.4286, 2.64], bgr: false },
};

/** The strength -1 … 1 that gives a magnitude of torchvision. */
function strengthOf(name: Name, magnitude: number): number {
  const { magnitudes } = golden.space[name];
  if (magnitudes.length === 1) return 0;
  const place = magnitudes.findIndex((each) => Math.abs(each - Math.abs(magnitude)) < 1e-4);
  expect(place).not.toBe(-1);
  return (Math.sign(magnitude) || 1) * (place / (magnitudes.length - 1));
}

describe.each(backends)('on %s', (_, setBackend) => {
  beforeAll(async () => {
    await setBackend();
  });

  test.each(Object.entries(ranges))('same values as torchvision in range %s', async (_, range) => {
    for (const { op, image, magnitude, expected } of golden.cases) {
      const name = op as Name;
      const span = (i: number) => (range.white[i % 3] ?? 1) - (range.black[i % 3] ?? 0);
      const { size, values: bytes } = golden.images[image as keyof typeof golden.images];
      const values = bytes.map((byte, i) => (range.black[i % 3] ?? 0) + (byte / 255) * span(i));
      const picture = tf.tensor4d(values, [1, size[0] ?? 0, size[1] ?? 0, 3]);
      const setting = { picture, random: randomGenerator(1), range, fill: 0 };
      const changed = await expectNoLeak(
        () => tf.tidy(() => tf.clone(trivialChanges[name].apply(setting, strengthOf(name, magnitude)))),
        1,
      );
      const received = valuesOf(changed).map((value, i) => ((value - (range.black[i % 3] ?? 0)) / span(i)) * 255);
      expect(largestDifference(received, expected), `${op} ${String(magnitude)} of ${image}`).toBeLessThan(0.05);
      picture.dispose();
    }
  });
});

test('has the operations of torchvision, signed as there', () => {
  expect(keysOf(trivialChanges)).toEqual(Object.keys(golden.space));
  for (const [name, { signed, magnitudes }] of Object.entries(golden.space)) {
    const isSigned = magnitudes.length > 1 && signed;
    expect(trivialChanges[name as Name].isSigned, name).toBe(isSigned);
  }
});

test('draws operations, strengths and signs evenly', () => {
  const random = randomGenerator(1);
  const draws = Array.from({ length: 20_000 }, () => drawChange(random));
  const share = (is: (draw: (typeof draws)[number]) => boolean) => draws.filter(is).length / draws.length;
  for (const name of keysOf(trivialChanges)) expect(share((draw) => draw.name === name)).toBeCloseTo(1 / 14, 1.9);
  const places = new Set(draws.map(({ strength }) => Math.round(Math.abs(strength) * 30)));
  expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, i) => i));
  const rotations = draws.filter(({ name }) => name === 'Rotate');
  const negative = rotations.filter(({ strength }) => strength < 0).length / rotations.length;
  expect(negative).toBeCloseTo(0.5 * (30 / 31), 1.3);
  expect(draws.every(({ name, strength }) => strength >= 0 || trivialChanges[name].isSigned)).toBe(true);
});
