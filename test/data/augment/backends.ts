// The backends that pictures are changed on in tests, and pictures made by a formula.
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/index.ts';

/** Each way of computing that Node has. */
export const backends: readonly [name: string, set: () => Promise<unknown>][] = [
  ['cpu', () => useBackend('cpu')],
  ['wasm', () => useBackend('wasm', { kernels: true })],
  ['wasm without kernels', () => useBackend('wasm', { kernels: false })],
];

/** Values from `low` to `high`, as in test/golden/augment.py. */
export function wavePicture(
  [height, width, channels]: readonly [number, number, number],
  [low, high]: readonly [number, number] = [0, 1],
  phase = 0.3,
): tf.Tensor4D {
  const values = Float32Array.from({ length: height * width * channels }, (_, i) => {
    return low + (high - low) * (0.5 + 0.5 * Math.sin(phase + i * 1.7));
  });
  return tf.tensor4d(values, [1, height, width, channels]);
}

/** The values of a tensor, which is freed. */
export function valuesOf(tensor: tf.Tensor): number[] {
  const values = [...tensor.dataSync()];
  tensor.dispose();
  return values;
}

/** The largest difference between two lists. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return NaN;
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));
}
