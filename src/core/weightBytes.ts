// The size of weights in the files of a tfjs model.
import type { io } from '@tensorflow/tfjs-core';
import { sizeOf } from './shapes.ts';

/** Bytes of one value; 4 for every other type. */
const sizes: ReadonlyMap<string, number> = new Map([
  ['uint8', 1],
  ['bool', 1],
  ['uint16', 2],
  ['float16', 2],
  ['complex64', 8],
]);

/**
 * Returns the bytes of a weight, in its quantised form if it has one. Text has no fixed length: the result is
 * meaningless for it.
 */
export function weightBytes({ dtype, quantization, shape }: io.WeightsManifestEntry): number {
  return sizeOf(shape) * (sizes.get(quantization?.dtype ?? dtype) ?? 4);
}

/** Returns the bytes of all weights; undefined when there is text among them, whose length only the data contains. */
export function byteLengthOf(weights: readonly io.WeightsManifestEntry[]): number | undefined {
  if (weights.some(({ dtype }) => dtype === 'string')) return undefined;
  return weights.reduce((sum, weight) => sum + weightBytes(weight), 0);
}
