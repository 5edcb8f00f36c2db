// Converts pixels between the values that a base takes and 0 (black) … 1 (white), for each channel.
import { add, clipByValue, mul, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { spanOf, type PixelRange } from './pixelRange.ts';

/**
 * Converts values of a base to 0 … 1; the last axis is that of the channels. The caller tidies intermediate tensors.
 */
export function toUnit<T extends Tensor>(values: T, range: PixelRange): T {
  const span = spanOf(range);
  const factors = span.map((each) => 1 / each);
  return add(mul(values, channels(factors)), channels(range.black.map((black, i) => -black * (factors[i] ?? 0))));
}

/** Clips values to 0 … 1 and converts them to those of the base. The caller tidies intermediate tensors. */
export function fromUnit<T extends Tensor>(values: T, range: PixelRange): T {
  return add(mul(clipByValue(values, 0, 1), channels(spanOf(range))), channels(range.black));
}

/** One number for each channel, or for all of them. */
export function channels(values: readonly number[]): Tensor {
  return tensor1d([...(new Set(values).size === 1 ? values.slice(0, 1) : values)]);
}
