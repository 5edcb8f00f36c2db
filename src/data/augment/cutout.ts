// Covers a rectangle of each picture with gray.
import { nameErrors } from '../../core/edge.ts';
import { add, broadcastTo, mul, pad, tensor4d, zeros, type Tensor4D } from '@tensorflow/tfjs-core';
import { drawPart, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, rangeWithin, within } from './operationChecks.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link cutout}. */
export interface CutoutOptions {
  /** Smallest and largest share of the picture's area, 0.01 … 1. Default [0.02, 1 / 3]. */
  readonly area?: readonly [number, number];
  /** Smallest and largest aspect ratio (width / height) of the rectangle, 0.1 … 10. Default [0.3, 3.3]. */
  readonly aspect?: readonly [number, number];
  /** Gray of the rectangle, 0 … 1. Default 0.5. */
  readonly fill?: number;
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Covers a rectangle of the picture with gray. Its share of the area and its position are drawn uniformly, its aspect
 * ratio uniformly on a logarithmic scale.
 *
 * Source: Zhong et al., "Random Erasing Data Augmentation", 2017 (the defaults); DeVries and Taylor, "Improved
 * Regularization of Convolutional Neural Networks with Cutout", 2017.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { cutout } from 'transferkit/augment';
 * console.log(cutout({ aspect: [1, 1] }).fill); // 0.5
 * ```
 */
export function cutout(options: CutoutOptions = {}): Operation<'cutout', CutoutOptions> {
  return nameErrors('cutout', () => {
    assertOptions(options, { area: true, aspect: true, fill: true, probability: true });
    const { area = [0.02, 1 / 3], aspect = [0.3, 3.3], fill = 0.5, probability = 0.5 } = options;
    return {
      name: 'cutout',
      area: rangeWithin('area', area, [0.01, 1]),
      aspect: rangeWithin('aspect', aspect, [0.1, 10]),
      fill: within('fill', fill, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/**
 * Covers a rectangle of a picture [1, height, width, 1 or 3].
 *
 * @returns A new tensor; the caller tidies intermediate tensors.
 */
export function cutoutPixels(
  operation: Operation<'cutout', CutoutOptions>,
  picture: Tensor4D,
  random: Random,
  range: PixelRange,
): Tensor4D {
  const [, height, width, channels] = picture.shape;
  const part = drawPart(random, { height, width }, operation);
  const rows = Math.max(1, Math.round(part.height));
  const columns = Math.max(1, Math.round(part.width));
  const top = Math.floor(random() * (height - rows + 1));
  const left = Math.floor(random() * (width - columns + 1));
  const around: [number, number][] = [
    [0, 0],
    [top, height - rows - top],
    [left, width - columns - left],
    [0, 0],
  ];
  const gray = range.black.map((black, i) => black + operation.fill * (spanOf(range)[i] ?? 0));
  const cover = broadcastTo(tensor4d(gray.slice(0, channels), [1, 1, 1, channels]), [1, rows, columns, channels]);
  const kept = pad(zeros([1, rows, columns, channels]), around, 1);
  return add(mul(picture, kept), pad(cover, around, 0));
}
