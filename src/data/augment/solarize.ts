// Inverts the bright values of pictures.
import { greaterEqual, reshape, sub, where, type Tensor4D } from '@tensorflow/tfjs-core';
import { nameErrors } from '../../core/edge.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';

/** Options of {@link solarize}. */
export interface SolarizeOptions {
  /** Values from here on are inverted, on a scale where black is 0 and white is 1, 0 … 1. Default 0.5. */
  readonly threshold?: number;
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Inverts all values of each channel from a threshold on: v becomes 1 - v.
 *
 * Source: Pillow's `ImageOps.solarize` and torchvision's `RandomSolarize`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { solarize } from 'transferkit/augment';
 * console.log(solarize({ probability: 0.2 }).threshold); // 0.5
 * ```
 */
export function solarize(options: SolarizeOptions = {}): Operation<'solarize', SolarizeOptions> {
  return nameErrors('solarize', () => {
    assertOptions(options, { threshold: true, probability: true });
    const { threshold = 0.5, probability = 0.5 } = options;
    return {
      name: 'solarize',
      threshold: within('threshold', threshold, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/** Inverts the bright values of a picture [1, height, width, 1 or 3]. */
export function solarizePixels(
  { threshold }: Pick<Operation<'solarize', SolarizeOptions>, 'threshold'>,
  picture: Tensor4D,
  _: Random,
  range: PixelRange,
): Tensor4D {
  const unit = toUnit(picture, range);
  // Bytes are whole numbers: half of a hundredth of one is for values that preprocessing has rounded.
  const isBright = greaterEqual(unit, threshold - 0.005 / 255);
  return fromUnit(reshape(where(isBright, sub(1, unit), unit), picture.shape), range);
}
