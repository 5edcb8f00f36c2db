// What a reader's result is compared by: all numbers that come of it.
import * as tf from '@tensorflow/tfjs-core';

/** Inputs of more numbers are left out: what is read is judged, not how long a network takes. */
const largestInput = 100_000;

export const tensors = () => tf.memory().numTensors;

/** Outputs of a base on a fixed input. */
function outputsOf({ trunk }) {
  return tf.tidy(() => {
    const { shape, dtype } = trunk.input;
    const sizes = shape.map((axis) => axis ?? 1);
    const size = sizes.reduce((a, b) => a * b, 1);
    if (size > largestInput) return 'not run';
    const values = Float32Array.from({ length: size }, (_, i) => (dtype === 'float32' ? Math.sin(i) : i % 2));
    return trunk.run(tf.tensor(values, sizes, dtype)).dataSync();
  });
}

/** Frees a base when its numbers are known, or cannot be. */
export function takeOutputs(base) {
  try {
    return outputsOf(base);
  } finally {
    base.dispose();
  }
}

/** Numbers between -1 and 1 by a formula. */
export function wave(size, phase = 0) {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(phase + i * 1.7) * 0.5);
}

export const textBytes = (text) => new TextEncoder().encode(text);
export const jsonBytes = (value) => textBytes(JSON.stringify(value));
