// Where pixels go: maps against PyTorch and pictures drawn by hand, and what is drawn.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomGenerator } from '../../../src/core/random.ts';
import { flip, perspective, randomResizedCrop, rotate, shear, shift, zoom } from '../../../src/augment.ts';
import type { Random, Size } from '../../../src/data/augment/drawing.ts';
import type { PictureFill } from '../../../src/data/augment/operation.ts';
import { settleOperation, type ImageOperation } from '../../../src/data/augment/operations.ts';
import { mapPicture } from '../../../src/data/augment/mapPicture.ts';
import { at, type Matrix } from '../../../src/data/augment/matrix.ts';
import { tilting, turning } from '../../../src/data/augment/pictureMap.ts';
import type { PixelRange } from '../../../src/data/augment/pixelRange.ts';
import golden from '../../golden/augment.json' with { type: 'json' };
import { backends, largestDifference, valuesOf, wavePicture } from './backends.ts';

const unit: PixelRange = { black: [0, 0, 0], white: [1, 1, 1], bgr: false };

/** A picture of one channel or, all the same, of three, seen through a map. */
function seen(rows: number[][], map: Matrix, fill: PictureFill = 'nearest', channels = 1): number[][] {
  const width = rows[0]!.length;
  const shape = [1, rows.length, width, channels] as const;
  const values = valuesOf(
    tf.tidy(() =>
      mapPicture(
        tf.tensor4d(
          rows.flatMap((row) => row.flatMap((value) => Array<number>(channels).fill(value))),
          [...shape],
        ),
        map,
        fill,
        unit,
      ),
    ),
  ).filter((_, i) => i % channels === 0);
  return rows.map((_, row) =>
    values.slice(row * width, (row + 1) * width).map((value) => Math.round(value * 1e6) / 1e6 + 0),
  );
}

function drawMap(operation: ImageOperation, random: Random, size: Size): Matrix {
  const settled = settleOperation(operation);
  if (settled?.kind !== 'geometry') throw new Error(`${operation.name} is of another kind.`);
  return settled.map(random, size);
}

const always = (operation: ImageOperation, seed = 1, size = { height: 2, width: 3 }) =>
  drawMap(operation, randomGenerator(seed), size);

describe.each(backends)('on %s', (_, setBackend) => {
  beforeAll(async () => {
    await setBackend();
  });

  const letters = [
    [1, 2, 3],
    [4, 5, 6],
  ];

  test('flip', () => {
    expect(seen(letters, always(flip()))).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
    expect(seen(letters, always(flip({ direction: 'vertical' })))).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
  });

  test('flipped twice, a picture is the same to the bit', () => {
    const { height, width } = golden;
    const picture = wavePicture([height, width, 3], [-1, 1]);
    for (const direction of ['horizontal', 'vertical'] as const) {
      const map = always(flip({ direction }));
      const once = tf.tidy(() => mapPicture(picture, map, 'reflect', unit));
      const twice = tf.tidy(() => mapPicture(once, map, 'reflect', unit));
      expect(twice.dataSync()).toEqual(picture.dataSync());
      expect(once.dataSync()).not.toEqual(picture.dataSync());
    }
  });

  test('a rotation by 90 degrees is clockwise', () => {
    const square = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ];
    expect(seen(square, turning(Math.PI / 2))).toEqual([
      [7, 4, 1],
      [8, 5, 2],
      [9, 6, 3],
    ]);
    expect(seen(square, turning(-Math.PI / 2))).toEqual([
      [3, 6, 9],
      [2, 5, 8],
      [1, 4, 7],
    ]);
  });

  test.each<[PictureFill, number[]]>([
    ['reflect', [3, 2, 1, 1, 2]],
    ['nearest', [1, 1, 1, 1, 2]],
    [0.5, [0.5, 0.5, 0.5, 1, 2]],
    [0, [0, 0, 0, 1, 2]],
  ])('fill outside the picture: %s', (fill, expected) => {
    for (const channels of typeof fill === 'number' ? [3] : [1, 3]) {
      expect(seen([[1, 2, 3, 4, 5]], [1, 0, -3, 0, 1, 0, 0, 0, 1], fill, channels)).toEqual([expected]);
    }
  });

  test.each(golden.maps)("$name, $fill: same values as PyTorch's grid_sample", ({ map, fill, expected }) => {
    const asFill = (text: string): PictureFill => (text === 'reflect' || text === 'nearest' ? text : Number(text));
    const changed = tf.tidy(() =>
      mapPicture(wavePicture([golden.height, golden.width, 3]), map as unknown as Matrix, asFill(fill), unit),
    );
    expect(largestDifference(valuesOf(changed), expected)).toBeLessThan(5e-6);
  });

  test('gray fill is gray in the range of the base', () => {
    const range: PixelRange = { black: [-2, -1, 0], white: [2, 3, 10], bgr: true };
    const far: Matrix = [1, 0, 100, 0, 1, 0, 0, 0, 1];
    const changed = tf.tidy(() => mapPicture(wavePicture([2, 2, 3]), far, 0.25, range));
    expect(valuesOf(changed).slice(0, 3)).toEqual([-1, 0, 2.5]);
  });
});

describe('random values', () => {
  const size = { height: 40, width: 60 };
  const drawn = (operation: ImageOperation) =>
    Array.from({ length: 300 }, (_, seed) => drawMap(operation, randomGenerator(seed), size));
  const span = (values: number[]) => [Math.min(...values), Math.max(...values)] as [number, number];
  const expectSpan = (values: number[], [low, high]: [number, number]) => {
    const [least, most] = span(values);
    const slack = (high - low) * 0.05;
    expect(least).toBeGreaterThanOrEqual(low - 1e-9);
    expect(least).toBeLessThan(low + slack);
    expect(most).toBeLessThanOrEqual(high + 1e-9);
    expect(most).toBeGreaterThan(high - slack);
  };

  test('of shift are shares of the sides', () => {
    const maps = drawn(shift({ horizontal: 0.2, vertical: 0.1 }));
    expectSpan(maps.map((map) => map[2]), [-12, 12]); // prettier-ignore
    expectSpan(maps.map((map) => map[5]), [-4, 4]); // prettier-ignore
  });

  test('of rotate are degrees in either direction', () => {
    const maps = drawn(rotate({ degrees: 30 }));
    expectSpan(maps.map((map) => (Math.atan2(map[1], map[0]) * 180) / Math.PI), [-30, 30]); // prettier-ignore
  });

  test('of zoom are factors, and a centre in the picture', () => {
    const maps = drawn(zoom({ range: [0.5, 2] }));
    expectSpan(maps.map((map) => 1 / map[0]), [0.5, 2]); // prettier-ignore
    for (const map of maps) {
      expect(map[0]).toBe(map[4]);
      if (Math.abs(1 - map[0]) < 1e-3) continue;
      expect(Math.abs(map[2] / (1 - map[0]))).toBeLessThanOrEqual(30);
      expect(Math.abs(map[5] / (1 - map[0]))).toBeLessThanOrEqual(20);
    }
  });

  test('of shear are angles of columns and rows', () => {
    const maps = drawn(shear({ horizontal: 20, vertical: 0 }));
    expectSpan(maps.map((map) => (Math.atan(map[1]) * 180) / Math.PI), [-20, 20]); // prettier-ignore
    expect(new Set(maps.map((map) => map[3]))).toEqual(new Set([0]));
    const rows = drawn(shear({ horizontal: 0, vertical: 20 }));
    expectSpan(rows.map((map) => (Math.atan(map[3]) * 180) / Math.PI), [-20, 20]); // prettier-ignore
  });

  test('of perspective are shares of the edges', () => {
    const maps = drawn(perspective({ amount: 0.2 }));
    expectSpan(maps.map((map) => -map[6] * 30), [-0.2, 0.2]); // prettier-ignore
    expectSpan(maps.map((map) => -map[7] * 20), [-0.2, 0.2]); // prettier-ignore
  });

  test('of randomResizedCrop are rectangles inside the picture', () => {
    const maps = drawn(randomResizedCrop({ area: [0.25, 0.5], aspect: [0.5, 2] }));
    expectSpan(maps.map((map) => map[0] * map[4]), [0.25, 0.5]); // prettier-ignore
    expectSpan(maps.map((map) => Math.log(1.5 * (map[0] / map[4]))), [-Math.log(2), Math.log(2)]); // prettier-ignore
    for (const map of maps) {
      expect(Math.abs(map[2]) + map[0] * 30).toBeLessThanOrEqual(30 + 1e-9);
      expect(Math.abs(map[5]) + map[4] * 20).toBeLessThanOrEqual(20 + 1e-9);
    }
    const whole = drawn(randomResizedCrop({ area: [1, 1], aspect: [1.5, 1.5] }));
    for (const map of whole) expect(largestDifference(map, [1, 0, 0, 0, 1, 0, 0, 0, 1])).toBeLessThan(1e-9);
  });
});

test.each(golden.tilts)("a perspective of $x, $y is fastai's warp", ({ x, y, expected }) => {
  // Halves of the sides as the unit of places.
  const map = tilting(x, y, { height: 2, width: 2 });
  const matrix = expected as unknown as Matrix;
  const scaled = map.map((value) => (value / map[8]) * at(matrix, 2, 2));
  expect(largestDifference(scaled, expected)).toBeLessThan(1e-8);
});
