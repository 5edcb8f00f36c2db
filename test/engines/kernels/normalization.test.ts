// BatchNorm by stored statistics on the module against tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { onCpu, onModule, startModule } from './onModule.ts';

test('FusedBatchNorm with and without scale and offset', async () => {
  const shapes = [
    [1, 1, 1, 1],
    [2, 3, 4, 5],
    [1, 7, 7, 16],
    [2, 40, 40, 33],
  ];
  const calls = shapes.flatMap((shape, i) =>
    [{}, { scale: 3 }, { offset: 4 }, { scale: 3, offset: 4 }].map((further) => ({
      kernel: 'FusedBatchNorm',
      inputs: () => ({
        x: tf.add(seeded(shape, i), 100),
        mean: tf.add(seeded(shape.slice(3), 1), 100),
        variance: tf.square(seeded(shape.slice(3), 2)),
        ...Object.fromEntries(Object.entries(further).map(([name, seed]) => [name, seeded(shape.slice(3), seed)])),
      }),
      attributes: { varianceEpsilon: 1e-3 },
    })),
  );
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(relativeDifference(data, expected[i]!.data)).toBeLessThan(1e-6);
  }
});

test('tfjs runs statistics in the shape of the input', async () => {
  await startModule(1);
  const values = tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 1, 2]);
    return tf.batchNorm(x, tf.sub(x, 1), tf.onesLike(x), undefined, undefined, 0).dataSync();
  });
  expect([...values]).toEqual([1, 1, 1, 1]);
});
