// Resizing, fitting and scaling against TensorFlow's and Keras' own numbers (test/golden/preprocess.py).
import { beforeAll, describe, expect, it } from 'vitest';
import { channelsOf, type Picture } from '../../../src/core/picture.ts';
import type { Channels } from '../../../src/core/pictureLimits.ts';
import type { ImageMode, ImageSpec } from '../../../src/model/model.ts';
import { pictureRegion } from '../../../src/data/preprocess/fit.ts';
import { planResize, resizePlainly, type Resize } from '../../../src/data/preprocess/resize.ts';
import { scalingOf } from '../../../src/data/preprocess/scale.ts';
import { loadResize } from '../../../src/data/preprocess/simdResize.ts';
import golden from '../../golden/preprocess.json' with { type: 'json' };

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

interface Question {
  readonly size: readonly [number, number];
  readonly method: ImageSpec['resize'];
  readonly fit?: ImageSpec['fit'];
  readonly mode?: ImageMode;
}

function run(
  resize: Resize,
  picture: Picture,
  { size, method, fit = 'stretch', mode = 'raw' }: Question,
): Float32Array {
  const output = new Float32Array(size[0] * size[1] * channelsOf(picture)).fill(NaN);
  const region = pictureRegion([picture.height, picture.width], size, fit);
  resize(picture, planResize(picture, region, size, method, scalingOf(mode, channelsOf(picture) as Channels)), output);
  return output;
}

let simd: Resize = resizePlainly;
beforeAll(async () => {
  simd = await loadResize();
  expect(simd).not.toBe(resizePlainly);
});

const modes = golden.modes as { mode: ImageMode; values: number[] }[];

describe.each([
  ['plain', resizePlainly],
  [
    'SIMD',
    (...question) => {
      simd(...question);
    },
  ],
] satisfies [string, Resize][])('%s resizing', (_, resize) => {
  const cases = golden.resize as ResizeCase[];
  const name = ({ picture, size, resize: method, fit }: ResizeCase): string =>
    `${method} ${fit} ${picture.join('x')} to ${size.join('x')}`;

  it.each(cases.map((each) => [name(each), each] as const))(
    '%s equals TensorFlow',
    (_name, { picture, size, resize: method, fit, values }) => {
      const result = run(resize, pictureOf(...picture), { size, method, fit });
      expect(largestDifference(result, values)).toBeLessThan(2e-4); // of 255: float32 sums in another order
    },
  );

  it('gives the same for bytes and for floats', () => {
    const bytes = pictureOf(31, 17);
    const floats = { ...bytes, data: Float32Array.from(bytes.data) };
    const question = { size: [8, 9], method: 'antialias', fit: 'cover' } as const;
    expect(run(resize, floats, question)).toEqual(run(resize, bytes, question));
  });

  it('keeps a picture that has the right size', () => {
    const picture = pictureOf(6, 5);
    for (const method of ['antialias', 'bilinear', 'nearest'] as const) {
      expect(Array.from(run(resize, picture, { size: [6, 5], method }))).toEqual(Array.from(picture.data));
    }
  });

  it('supports pictures of one pixel, and bars much larger than the picture', () => {
    const dot = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) };
    expect(Array.from(run(resize, dot, { size: [2, 1], method: 'antialias' }))).toEqual([10, 20, 30, 10, 20, 30]);
    const line = { width: 100, height: 1, data: new Uint8Array(300).fill(200) };
    const result = run(resize, line, { size: [10, 10], method: 'antialias', fit: 'contain' });
    expect(result.every((value) => Number.isFinite(value) && value >= 0 && value <= 200)).toBe(true);
    expect(Math.max(...result)).toBeGreaterThan(5); // the line is there
    expect(result[0]).toBe(0); // the bars are black
  });

  it.each(modes.map((each) => [JSON.stringify(each.mode), each] as const))(
    'mode %s equals Keras',
    (_name, { mode, values }) => {
      const scaled = run(resize, pictureOf(3, 4), { size: [3, 4], method: 'nearest', mode });
      expect(largestDifference(scaled, values)).toBeLessThan(2e-5 * Math.max(1, ...values.map(Math.abs)) * 0.1 + 1e-6);
    },
  );
});

describe('SIMD resizing', () => {
  const shapes: [number, number, readonly [number, number]][] = [
    [375, 500, [224, 224]],
    [1, 1, [3, 5]],
    [7, 3, [64, 31]],
    [403, 1500, [96, 128]], // in several strips, by input
    [9, 11, [700, 640]], // by output
    [2, 120_000, [1, 50]], // one row is more than a strip
    [2500, 150, [1, 1]], // all rows make one
    [40, 2000, [50, 50]], // strips of black bars with `contain`
  ];

  it.each(shapes)('gives the same bits as plain resizing: %d x %d', (height, width, size) => {
    const bytes = pictureOf(height, width);
    const pictures: Picture[] = [
      bytes,
      { ...bytes, data: Uint8ClampedArray.from(bytes.data) },
      { ...bytes, data: Float32Array.from(bytes.data, (value) => value / 3) },
    ];
    for (const [i, picture] of pictures.entries()) {
      for (const fit of ['stretch', 'cover', 'contain'] as const) {
        const mode = (['caffe', 'torch', 'tf'] as const)[i] ?? 'raw';
        const method = fit === 'cover' ? 'bilinear' : 'antialias';
        const [fast, plain] = [simd, resizePlainly].map((each) => run(each, picture, { size, method, fit, mode }));
        expect(fast?.every((value, at) => value === plain?.[at])).toBe(true);
      }
    }
  });

  it.each([1, 4])('gives the same bits as plain resizing with %d channels', (channels) => {
    for (const [height, width, size] of shapes) {
      const data = Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 7919 + ((i * i) % 251)) % 256);
      for (const picture of [
        { height, width, data },
        { height, width, data: Float32Array.from(data, (value) => value / 3) },
      ]) {
        const question = { size, method: 'antialias', fit: 'contain', mode: { mean: 0.2, std: 0.3 } } as const;
        const [fast, plain] = [simd, resizePlainly].map((each) => run(each, picture, question));
        expect(fast?.every((value, at) => value === plain?.[at])).toBe(true);
      }
    }
  });

  it('reads bytes inside a larger buffer', () => {
    const bytes = pictureOf(20, 30);
    const larger = new Uint8Array(bytes.data.length + 13);
    larger.set(bytes.data, 13);
    const question = { size: [8, 9], method: 'antialias' } as const;
    expect(run(simd, { ...bytes, data: larger.subarray(13) }, question)).toEqual(run(simd, bytes, question));
  });

  it('shrinks a picture of 500 pixels in a fraction of a millisecond', () => {
    const picture = pictureOf(375, 500);
    const time = (resize: Resize): number => {
      const start = performance.now();
      for (let i = 0; i < 10; i++) run(resize, picture, { size: [224, 224], method: 'antialias' });
      return (performance.now() - start) / 10;
    };
    const times = [1, 2, 3].map(() => [time(simd), time(resizePlainly)] as const);
    expect(Math.min(...times.map(([fast, plain]) => fast / plain))).toBeLessThan(0.5); // 0.1 on an idle machine
  });
});
