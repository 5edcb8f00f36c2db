// Operations that make pixels of pixels, or of nothing.
import type { ImageOperation, OperationOptions } from './imageOperation.ts';
import { probabilityOf, rangeWithin, within } from './operationChecks.ts';

/**
 * Blurs pictures by a bell curve whose width is drawn evenly. Outside the picture it sees the picture in a mirror.
 *
 * torchvision's `GaussianBlur`, with taps up to three standard deviations away.
 *
 * @param options - Least and largest standard deviation `sigma` in pixels, 0.1 … 10, default [0.1, 2]; `probability` 0 … 1,
 * default 0.5.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { blur } from 'transferkit';
 * console.log(blur({ probability: 0.2 }).sigma); // [ 0.1, 2 ]
 * ```
 */
export function blur({ sigma = [0.1, 2], probability = 0.5 }: OperationOptions<'blur'> = {}): ImageOperation<'blur'> {
  return {
    name: 'blur',
    sigma: rangeWithin('blur', 'sigma', sigma, [0.1, 10]),
    probability: probabilityOf('blur', probability),
  };
}

/**
 * Adds a normally distributed value of its own to each channel of each pixel, and clips to black … white.
 *
 * @param options - Standard `deviation` where black is 0 and white is 1, 0 … 1, default 0.05; `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { noise } from 'transferkit';
 * console.log(noise({ deviation: 0.1 }).probability); // 1
 * ```
 */
export function noise({ deviation = 0.05, probability = 1 }: OperationOptions<'noise'> = {}): ImageOperation<'noise'> {
  return {
    name: 'noise',
    deviation: within('noise', 'deviation', deviation, [0, 1]),
    probability: probabilityOf('noise', probability),
  };
}

/**
 * Covers a rectangle of the picture with gray. Its share of the area is drawn evenly, its width by height evenly on a
 * logarithmic scale, its place evenly within the picture.
 *
 * Zhong et al., "Random Erasing Data Augmentation", 2017, whose numbers are the defaults; DeVries and Taylor, "Improved
 * Regularization of Convolutional Neural Networks with Cutout", 2017.
 *
 * @param options - Least and largest `area`, 0.01 … 1, default [0.02, 1 / 3]; least and largest `aspect`, 0.1 … 10, default
 * [0.3, 3.3]; gray `fill`, 0 … 1, default 0.5; `probability` 0 … 1, default 0.5.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { cutout } from 'transferkit';
 * console.log(cutout({ aspect: [1, 1] }).fill); // 0.5
 * ```
 */
export function cutout({
  area = [0.02, 1 / 3],
  aspect = [0.3, 3.3],
  fill = 0.5,
  probability = 0.5,
}: OperationOptions<'cutout'> = {}): ImageOperation<'cutout'> {
  return {
    name: 'cutout',
    area: rangeWithin('cutout', 'area', area, [0.01, 1]),
    aspect: rangeWithin('cutout', 'aspect', aspect, [0.1, 10]),
    fill: within('cutout', 'fill', fill, [0, 1]),
    probability: probabilityOf('cutout', probability),
  };
}
