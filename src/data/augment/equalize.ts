// Spreads the values of each channel of pictures evenly from black to white.
import {
  add,
  cast,
  clipByValue,
  cumsum,
  denseBincount,
  div,
  equal,
  floor,
  gather,
  greater,
  max,
  maximum,
  mul,
  ones,
  range as numbersUpTo,
  reshape,
  round,
  sub,
  tensor1d,
  where,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { nameErrors } from '../../core/edge.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf } from './operationChecks.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';

/** Options of {@link equalize}. */
export interface EqualizeOptions {
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Equalises the histogram of each channel: maps values so that about as many pixels have each of the values from black to
 * white. Values are first rounded to whole numbers 0 … 255.
 *
 * Source: Pillow's `ImageOps.equalize` and torchvision's `RandomEqualize`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { equalize } from 'transferkit/augment';
 * console.log(equalize({ probability: 0.1 })); // { name: 'equalize', probability: 0.1 }
 * ```
 */
export function equalize(options: EqualizeOptions = {}): Operation<'equalize', EqualizeOptions> {
  return nameErrors('equalize', () => {
    assertOptions(options, { probability: true });
    const { probability = 0.5 } = options;
    return { name: 'equalize', probability: probabilityOf(probability) };
  });
}

/** Equalises a picture [1, height, width, 1 or 3]. */
export function equalizePixels(_: unknown, picture: Tensor4D, __: Random, range: PixelRange): Tensor4D {
  const [, height, width, channels] = picture.shape;
  const bytes = round(mul(clipByValue(toUnit(picture, range), 0, 1), 255));
  // Each channel has 256 places of its own.
  const starts = tensor1d(Array.from({ length: channels }, (_, channel) => channel * 256));
  const places: Tensor1D = cast(reshape(add(bytes, starts), [picture.size]), 'int32');
  const counts = denseBincount(places, ones([picture.size]), channels * 256);
  const values = newValues(reshape(counts, [channels, 256]), height * width);
  const changed: Tensor4D = reshape(gather(reshape(values, [channels * 256]), places), picture.shape);
  return fromUnit(div(changed, 255), range);
}

/** The new value of each byte, [channels, 256], for the number of pixels that have it in each channel, [channels, 256]. */
function newValues(counts: Tensor2D, pixels: number): Tensor {
  const upTo = cumsum(counts, 1);
  const ofLargest = max(mul(counts, cast(equal(upTo, pixels), 'float32')), 1, true); // [channels, 1]
  const step = floor(div(sub(pixels, ofLargest), 255));
  const values = floor(div(add(sub(upTo, counts), div(step, 2)), maximum(step, 1)));
  const unchanged = numbersUpTo(0, 256);
  return where(greater(step, 0), clipByValue(values, 0, 255), unchanged);
}
