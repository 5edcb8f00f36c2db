// Stretches each channel of pictures to the whole range from black to white.
import { div, greater, maxPool, neg, onesLike, sub, where, zerosLike, type Tensor4D } from '@tensorflow/tfjs-core';
import { nameErrors } from '../../core/edge.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf } from './operationChecks.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';

/** Options of {@link autocontrast}. */
export interface AutocontrastOptions {
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Maps the smallest value of each channel to black and the largest to white, linearly. A channel of a single value stays
 * as it is.
 *
 * Source: Pillow's `ImageOps.autocontrast` and torchvision's `RandomAutocontrast`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { autocontrast } from 'transferkit/augment';
 * console.log(autocontrast()); // { name: 'autocontrast', probability: 0.5 }
 * ```
 */
export function autocontrast(options: AutocontrastOptions = {}): Operation<'autocontrast', AutocontrastOptions> {
  return nameErrors('autocontrast', () => {
    assertOptions(options, { probability: true });
    const { probability = 0.5 } = options;
    return { name: 'autocontrast', probability: probabilityOf(probability) };
  });
}

/** Stretches each channel of a picture [1, height, width, 1 or 3]. */
export function autocontrastPixels(_: unknown, picture: Tensor4D, __: Random, range: PixelRange): Tensor4D {
  const unit = toUnit(picture, range);
  const least = neg(largest(neg(unit)));
  const span = sub(largest(unit), least);
  // Values of one colour may differ in their last bit after preprocessing.
  const isStretched = greater(span, 1e-5);
  const start = where(isStretched, least, zerosLike(least));
  const length = where(isStretched, span, onesLike(span));
  return fromUnit(div(sub(unit, start), length), range);
}

/** The largest value of each channel. Pooling does not move channels to the front, as a maximum over two axes does. */
function largest(unit: Tensor4D): Tensor4D {
  const [, height, width] = unit.shape;
  return maxPool(unit, [height, width], 1, 'valid');
}
