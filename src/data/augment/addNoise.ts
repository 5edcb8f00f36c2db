// Adds noise to a picture.
import { add, tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Random } from './drawing.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';

/**
 * A picture [1, height, width, 1 or 3] with normally distributed noise, clipped to black … white.
 *
 * @param deviation - Of the noise, where black is 0 and white is 1.
 * @returns A new tensor; others that were made are the caller's to tidy.
 */
export function addNoise(picture: Tensor4D, deviation: number, random: Random, range: PixelRange): Tensor4D {
  const noise = tensor(normalValues(picture.size, deviation, random), picture.shape);
  return fromUnit(add(toUnit(picture, range), noise), range);
}

/** Two at a time: Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958. */
function normalValues(count: number, deviation: number, random: Random): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const distance = deviation * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    values[i] = distance * Math.cos(angle);
    values[i + 1] = distance * Math.sin(angle);
  }
  return values;
}
