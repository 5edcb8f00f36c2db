// 1×1 convolutions of concatenations with scale, shift and relu, against tfjs's operations one by one.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { onModule } from './onModule.ts';

const cases = [
  { places: [1, 1, 1], pieces: [1], results: 1, before: 'linear', activation: 'linear' },
  { places: [2, 5, 7], pieces: [3, 8, 5], results: 9, before: 'relu', activation: 'linear' },
  { places: [3, 9, 9], pieces: [64, 32, 32, 32], results: 128, before: 'relu', activation: 'relu' },
  { places: [2, 33, 31], pieces: [40], results: 24, before: 'relu6', activation: 'silu' },
  { places: [1, 14, 14], pieces: [600, 700, 40], results: 400, before: 'relu', activation: 'linear' },
  { places: [2, 2, 2], pieces: Array.from({ length: 49 }, () => 4), results: 8, before: 'relu', activation: 'relu' },
] as const;

type Case = (typeof cases)[number];

const piecesOf = ({ places, pieces }: Case) => pieces.map((count, i) => seeded<tf.Rank.R4>([...places, count], i));

function weightsOf({ pieces, results }: Case) {
  const channels = pieces.reduce<number>((sum, count) => sum + count, 0);
  return {
    scale: seeded<tf.Rank.R4>([1, 1, channels, 1], 70),
    shift: seeded([channels], 71),
    filter: seeded<tf.Rank.R4>([1, 1, channels, results], 72),
    bias: seeded([results], 73),
  };
}

const bend: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  linear: (x) => x,
  relu: tf.relu,
  relu6: tf.relu6,
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
};

function expected(each: Case): Float32Array {
  return tf.tidy(() => {
    const { scale, shift, filter, bias } = weightsOf(each);
    const joined = tf.concat(piecesOf(each), 3);
    const scaled = bend[each.before]!(tf.add(tf.mul(joined, tf.reshape(scale, [-1])), shift));
    const sums = tf.add(tf.conv2d(scaled as tf.Tensor4D, filter, 1, 'same'), bias);
    return bend[each.activation]!(sums).dataSync<'float32'>().slice();
  });
}

test('pieces of any width, activations before and after', async () => {
  const received = await onModule(
    cases.map((each) => ({
      kernel: 'TransferkitGatheredConvolution',
      inputs: () => ({
        ...Object.fromEntries(piecesOf(each).map((piece, i) => [`x${String(i)}`, piece])),
        ...weightsOf(each),
      }),
      attributes: { before: each.before, activation: each.activation },
    })),
  );
  await tf.setBackend('cpu');
  for (const [i, each] of cases.entries()) {
    expect(received[i]!.shape).toEqual([...each.places, each.results]);
    expect(relativeDifference(received[i]!.data, expected(each)), String(i)).toBeLessThan(3e-6);
  }
});

test('NaN and infinity come through', async () => {
  const [y] = await onModule([
    {
      kernel: 'TransferkitGatheredConvolution',
      inputs: () => ({
        x0: tf.tensor4d([NaN, 1, Infinity], [3, 1, 1, 1]),
        scale: tf.tensor1d([2]),
        shift: tf.tensor1d([1]),
        filter: tf.tensor4d([1], [1, 1, 1, 1]),
      }),
      attributes: { before: 'relu' },
    },
  ]);
  expect([...y!.data]).toEqual([NaN, 3, Infinity]);
});
