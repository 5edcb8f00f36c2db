// Adds noise to pictures.
import { nameErrors } from '../../core/edge.ts';
import { add, tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link noise}. */
export interface NoiseOptions {
  /** Standard deviation on a scale where black is 0 and white is 1, 0 … 1. Default 0.05. */
  readonly deviation?: number;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Adds an independent normally distributed value to each channel of each pixel, and clips to black … white.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { noise } from 'transferkit/augment';
 * console.log(noise({ deviation: 0.1 }).probability); // 1
 * ```
 */
export function noise(options: NoiseOptions = {}): Operation<'noise', NoiseOptions> {
  return nameErrors('noise', () => {
    assertOptions(options, { deviation: true, probability: true });
    const { deviation = 0.05, probability = 1 } = options;
    return {
      name: 'noise',
      deviation: within('deviation', deviation, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/**
 * Adds normally distributed noise to a picture [1, height, width, 1 or 3], clipped to black … white.
 *
 * @returns A new tensor; the caller tidies intermediate tensors.
 */
export function noisePixels(
  { deviation }: Operation<'noise', NoiseOptions>,
  picture: Tensor4D,
  random: Random,
  range: PixelRange,
): Tensor4D {
  const values = tensor(normalValues(picture.size, deviation, random), picture.shape);
  return fromUnit(add(toUnit(picture, range), values), range);
}

/** Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958, which gives two values at a time. */
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
