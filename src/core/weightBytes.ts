// How many bytes weights take in the files of a tfjs model.
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

/** Bytes that a weight takes, quantised where it is. Text has no fixed length: for it the answer means nothing. */
export function weightBytes({ dtype, quantization, shape }: io.WeightsManifestEntry): number {
  return sizeOf(shape) * (sizes.get(quantization?.dtype ?? dtype) ?? 4);
}

/** Bytes that weights take; undefined when there is text among them, whose length only the data tells. */
export function byteLengthOf(weights: readonly io.WeightsManifestEntry[]): number | undefined {
  if (weights.some(({ dtype }) => dtype === 'string')) return undefined;
  return weights.reduce((sum, weight) => sum + weightBytes(weight), 0);
}
