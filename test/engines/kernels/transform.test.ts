// Pictures through projective maps on the module, against tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { onCpu, onModule, type Call } from './onModule.ts';

const maps: Record<string, number[]> = {
  'as it is': [1, 0, 0, 0, 1, 0, 0, 0],
  'from right to left': [-1, 0, 8, 0, 1, 0, 0, 0],
  moved: [1, 0, 2.5, 0, 1, -1.25, 0, 0],
  'far outside': [1, 0, 100.25, 0, 1, -70.5, 0, 0],
  turned: [0.8, -0.6, 3, 0.6, 0.8, -1, 0, 0],
  small: [4, 0, -9, 0, 4, -11, 0, 0],
  'in perspective': [0.9, 0.1, 1, -0.1, 1.2, 0.5, 0.004, -0.003],
  'with a horizon': [1, 0, 0, 0, 1, 0, -0.25, 0],
};
const fillModes = ['constant', 'reflect', 'nearest'];

/** tfjs's cpu kernel does the first picture of a batch alone. */
function call(shape: number[], transforms: number[][], attributes: Record<string, unknown>): Call {
  return {
    kernel: 'Transform',
    inputs: () => ({ image: seeded(shape, 1), transforms: tf.tensor2d(transforms) }),
    attributes: { interpolation: 'bilinear', fillValue: -0.5, ...attributes },
  };
}

test.each(fillModes)('one picture, %s', async (fillMode) => {
  const calls = Object.values(maps).flatMap((map) => [
    call([1, 7, 9, 3], [map], { fillMode }),
    call([1, 7, 9, 3], [map], { fillMode, outputShape: [5, 13] }),
    call([1, 1, 1, 3], [map], { fillMode, outputShape: [3, 4] }),
    call([1, 60, 70, 3], [map], { fillMode }),
  ]);
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape.slice(0, 3)).toEqual([
      1,
      ...((calls[i]!.attributes.outputShape as number[] | undefined) ?? expected[i]!.shape.slice(1, 3)),
    ]);
    expect(relativeDifference(data, expected[i]!.data), JSON.stringify([fillMode, i])).toBeLessThan(2e-5);
  }
});

test('every picture of a batch has its map, or all have one', async () => {
  const all = Object.values(maps);
  const [batch, shared] = await onModule([
    call([all.length, 30, 40, 3], all, { fillMode: 'reflect' }),
    call([all.length, 30, 40, 3], [maps.turned!], { fillMode: 'reflect' }),
  ]);
  const one = (map: number[], place: number): Call => ({
    ...call([1, 30, 40, 3], [map], { fillMode: 'reflect' }),
    inputs: () => ({
      image: tf.slice(seeded([all.length, 30, 40, 3], 1), [place, 0, 0, 0], [1, -1, -1, -1]),
      transforms: tf.tensor2d([map]),
    }),
  });
  const expectAlike = async (received: Float32Array, calls: Call[]) => {
    const expected = (await onModule(calls)).flatMap(({ data }) => [...data]);
    expect(relativeDifference(received, expected)).toBe(0);
  };
  await expectAlike(batch!.data, all.map(one));
  await expectAlike(
    shared!.data,
    all.map((_, place) => one(maps.turned!, place)),
  );
});
