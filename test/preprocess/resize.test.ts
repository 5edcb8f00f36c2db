// Resizing, fitting and scaling against TensorFlow's and Keras' own numbers (test/golden/preprocess.py).
import { describe, expect, it } from 'vitest';
import { pictureRegion } from '../../src/preprocess/fit.ts';
import { resize } from '../../src/preprocess/resize.ts';
import { scalePixels } from '../../src/preprocess/scale.ts';
import type { ImageMode, ImageSpec } from '../../src/core/types.ts';
import golden from '../golden/preprocess.json' with { type: 'json' };

interface ResizeCase {
  picture: [number, number];
  size: [number, number];
  resize: ImageSpec['resize'];
  fit: ImageSpec['fit'];
  values: number[];
}

function pictureOf(height: number, width: number): { width: number; height: number; data: Uint8Array } {
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919 + ((i * i) % 251)) % 256);
  return { width, height, data };
}

function largestDifference(a: ArrayLike<number>, b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return b.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (a[i] ?? Number.NaN))), 0);
}

describe('resize', () => {
  const cases = golden.resize as ResizeCase[];
  const name = ({ picture, size, resize, fit }: ResizeCase): string =>
    `${resize} ${fit} ${picture.join('x')} to ${size.join('x')}`;

  it.each(cases.map((each) => [name(each), each] as const))(
    '%s equals TensorFlow',
    (_, { picture, size, resize: method, fit, values }) => {
      const result = resize(pictureOf(...picture), pictureRegion(picture, size, fit), size, method);
      expect(largestDifference(result, values)).toBeLessThan(2e-4); // of 255: float32 sums in another order
    },
  );

  it('gives the same for bytes and for floats', () => {
    const bytes = pictureOf(31, 17);
    const floats = { ...bytes, data: Float32Array.from(bytes.data) };
    const region = pictureRegion([31, 17], [8, 9], 'cover');
    expect(resize(floats, region, [8, 9], 'antialias')).toEqual(resize(bytes, region, [8, 9], 'antialias'));
  });

  it('keeps a picture that has the right size', () => {
    const picture = pictureOf(6, 5);
    for (const method of ['antialias', 'bilinear', 'nearest'] as const) {
      const same = resize(picture, pictureRegion([6, 5], [6, 5], 'stretch'), [6, 5], method);
      expect(Array.from(same)).toEqual(Array.from(picture.data));
    }
  });

  it('survives pictures of one pixel and bars much larger than the picture', () => {
    const dot = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) };
    expect(Array.from(resize(dot, pictureRegion([1, 1], [2, 1], 'stretch'), [2, 1], 'antialias'))).toEqual([
      10, 20, 30, 10, 20, 30,
    ]);
    const line = { width: 100, height: 1, data: new Uint8Array(300).fill(200) };
    const result = resize(line, pictureRegion([1, 100], [10, 10], 'contain'), [10, 10], 'antialias');
    expect(result.every((value) => Number.isFinite(value) && value >= 0 && value <= 200)).toBe(true);
    expect(Math.max(...result)).toBeGreaterThan(5); // the line is there
    expect(result[0]).toBe(0); // the bars are black
  });

  it('shrinks a camera picture in a few milliseconds', () => {
    const picture = pictureOf(375, 500);
    const region = pictureRegion([375, 500], [224, 224], 'stretch');
    for (let i = 0; i < 10; i++) resize(picture, region, [224, 224], 'antialias');
    const start = performance.now();
    for (let i = 0; i < 10; i++) resize(picture, region, [224, 224], 'antialias');
    expect((performance.now() - start) / 10).toBeLessThan(40); // 3 on an idle machine
  });
});

describe('scalePixels', () => {
  const cases = golden.modes as { mode: ImageMode; values: number[] }[];

  it.each(cases.map((each) => [JSON.stringify(each.mode), each] as const))(
    'mode %s equals Keras',
    (_, { mode, values }) => {
      const pixels = Float32Array.from(pictureOf(3, 4).data);
      scalePixels(pixels, mode);
      expect(largestDifference(pixels, values)).toBeLessThan(2e-5 * Math.max(1, ...values.map(Math.abs)) * 0.1 + 1e-6);
    },
  );
});
