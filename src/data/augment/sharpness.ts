// Makes pictures smoother or sharper.
import { add, depthwiseConv2d, mul, pad, slice, sub, tensor4d, type Tensor4D } from '@tensorflow/tfjs-core';
import { nameErrors } from '../../core/edge.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { aroundOne, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import type { PixelRange } from './pixelRange.ts';
import { fromUnit, toUnit } from './unitValues.ts';

/** Options of {@link sharpness}. */
export interface SharpnessOptions {
  /** Largest distance of the factor from 1, 0 … 1. Default 0.5. */
  readonly amount?: number;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Makes pictures smoother or sharper: multiplies distances from a smoothed picture by a factor drawn uniformly from 1 -
 * `amount` to 1 + `amount`. Smoothing takes 5 parts of a pixel and 1 part of each of its 8 neighbours. The outermost
 * pixels stay as they are.
 *
 * Source: torchvision's `adjust_sharpness`, Pillow's `ImageEnhance.Sharpness`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { sharpness } from 'transferkit/augment';
 * console.log(sharpness({ probability: 0.3 }).amount); // 0.5
 * ```
 */
export function sharpness(options: SharpnessOptions = {}): Operation<'sharpness', SharpnessOptions> {
  return nameErrors('sharpness', () => {
    assertOptions(options, { amount: true, probability: true });
    const { amount = 0.5, probability = 1 } = options;
    return {
      name: 'sharpness',
      amount: within('amount', amount, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws a factor, and changes a picture [1, height, width, 1 or 3]. */
export function sharpnessPixels(
  { amount }: Operation<'sharpness', SharpnessOptions>,
  picture: Tensor4D,
  random: Random,
  range: PixelRange,
): Tensor4D {
  return sharpen(picture, aroundOne(random, amount), range);
}

/** Multiplies distances from the smoothed picture by a factor. The caller tidies intermediate tensors. */
export function sharpen(picture: Tensor4D, factor: number, range: PixelRange): Tensor4D {
  const [, height, width, channels] = picture.shape;
  if (height < 3 || width < 3) return picture;
  const unit = toUnit(picture, range);
  const taps = [1, 1, 1, 1, 5, 1, 1, 1, 1].flatMap((tap) => new Array<number>(channels).fill(tap / 13));
  const smooth = depthwiseConv2d(unit, tensor4d(taps, [3, 3, channels, 1]), 1, 'valid');
  const inner = slice(unit, [0, 1, 1, 0], [1, height - 2, width - 2, channels]);
  const change = mul(sub(smooth, inner), 1 - factor);
  const around: [number, number][] = [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ];
  return fromUnit(add(unit, pad(change, around)), range);
}
