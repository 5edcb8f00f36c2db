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
  onesLike,
  range as numbersUpTo,
  reshape,
  round,
  sub,
  sum,
  tensor2d,
  transpose,
  where,
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
  const channels = picture.shape[3];
  const bytes = round(mul(clipByValue(toUnit(picture, range), 0, 1), 255));
  const rows: Tensor2D = transpose(reshape(bytes, [-1, channels])); // [channels, pixels]
  const table = reshape(newValues(rows), [channels * 256]);
  const starts = mul(numbersUpTo(0, channels), 256); // where the table of each channel begins
  const places = cast(add(rows, reshape(starts, [channels, 1])), 'int32');
  const found: Tensor2D = reshape(gather(table, reshape(places, [-1])), rows.shape);
  return fromUnit(reshape(div(transpose(found), 255), picture.shape), range);
}

/** The new value of each byte in each channel, [channels, 256], for values [channels, pixels]. */
function newValues(rows: Tensor2D): Tensor2D {
  const [channels, pixels] = rows.shape;
  const counts = denseBincount(cast(rows, 'int32'), onesLike(rows), 256);
  const ofLargest = sum(cast(equal(rows, max(rows, 1, true)), 'float32'), 1, true);
  const step = floor(div(sub(pixels, ofLargest), 255)); // [channels, 1]
  const below = cumsum(counts, 1, true);
  const values = floor(div(add(below, div(step, 2)), maximum(step, 1)));
  const unchanged = tensor2d(
    Array.from({ length: channels * 256 }, (_, i) => i % 256),
    [channels, 256],
  );
  return reshape(where(greater(step, 0), clipByValue(values, 0, 255), unchanged), [channels, 256]);
}
