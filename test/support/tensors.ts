// Small questions about tensors that many tests ask.
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Largest absolute difference, relative to the largest expected value. */
export function relativeError(actual: tf.Tensor, expected: tf.Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  return tf.tidy(() => {
    const scale = Math.max(tf.max(tf.abs(expected)).dataSync()[0] ?? 0, 1e-12);
    return (tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0] ?? 0) / scale;
  });
}

/** Runs something and asserts that it leaves as many tensors as it found, plus `handedOut`. */
export async function expectNoLeak<T>(run: () => T | Promise<T>, handedOut = 0): Promise<T> {
  const before = tf.memory().numTensors;
  const result = await run();
  expect(tf.memory().numTensors - before, 'tensors left behind').toBe(handedOut);
  return result;
}

/** What something raises, which must leave no tensor behind. */
export async function raisedBy(act: () => unknown): Promise<unknown> {
  return expectNoLeak(async () => {
    try {
      await act();
    } catch (raised) {
      return raised;
    }
    throw new Error('expected an error, got none');
  });
}
