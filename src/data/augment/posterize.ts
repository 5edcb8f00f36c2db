// Reduces the number of values of each channel.
import { nameErrors } from '../../core/edge.ts';
import { clipByValue, floor, mul, round, type Tensor4D } from '@tensorflow/tfjs-core';
import { assertOptions } from '../../core/optionNames.ts';
import type { Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { invalidSetting, probabilityOf } from './operationChecks.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';

/** Options of {@link posterize}. */
export interface PosterizeOptions {
  /** Number of bits of each channel that are kept, a whole number 1 … 8. Default 4. */
  readonly bits?: number;
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Keeps the highest bits of each channel and sets the others to 0, which leaves `2 ^ bits` values. Values are first
 * rounded to whole numbers 0 … 255.
 *
 * Source: Pillow's `ImageOps.posterize` and torchvision's `RandomPosterize`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { posterize } from 'transferkit/augment';
 * console.log(posterize({ bits: 3 }).probability); // 0.5
 * ```
 */
export function posterize(options: PosterizeOptions = {}): Operation<'posterize', PosterizeOptions> {
  return nameErrors('posterize', () => {
    assertOptions(options, { bits: true, probability: true });
    const { bits = 4, probability = 0.5 } = options;
    if (!isBits(bits)) throw invalidSetting('bits to be a whole number from 1 to 8', bits);
    return { name: 'posterize', bits, probability: probabilityOf(probability) };
  });
}

/** Keeps the highest bits of a picture [1, height, width, 1 or 3]. */
export function posterizePixels(
  { bits }: Pick<Operation<'posterize', PosterizeOptions>, 'bits'>,
  picture: Tensor4D,
  _: Random,
  range: PixelRange,
): Tensor4D {
  const bytes = round(mul(clipByValue(toUnit(picture, range), 0, 1), 255));
  const step = 2 ** (8 - bits);
  return fromUnit(mul(floor(mul(bytes, 1 / step)), step / 255), range);
}

function isBits(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 8;
}
