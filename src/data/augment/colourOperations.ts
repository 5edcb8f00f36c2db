// Operations that give each colour another, as torchvision's do. Those that follow each other are carried out as one, and
// values are clipped to black … white once, behind the last of them.
import type { ImageOperation, OperationOptions } from './imageOperation.ts';
import { probabilityOf, within } from './operationChecks.ts';

/**
 * Makes pictures darker or brighter: all values times a factor drawn evenly from 1 - `amount` to 1 + `amount`.
 *
 * torchvision's `adjust_brightness`.
 *
 * @param options - `amount` 0 … 1, default 0.2; `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { brightness } from 'transferkit';
 * console.log(brightness({ amount: 0.4 })); // { name: 'brightness', amount: 0.4, probability: 1 }
 * ```
 */
export function brightness({
  amount = 0.2,
  probability = 1,
}: OperationOptions<'brightness'> = {}): ImageOperation<'brightness'> {
  return {
    name: 'brightness',
    amount: within('brightness', 'amount', amount, [0, 1]),
    probability: probabilityOf('brightness', probability),
  };
}

/**
 * Makes pictures flatter or harsher: distances from the mean gray of the picture times a factor drawn evenly from 1 -
 * `amount` to 1 + `amount`.
 *
 * torchvision's `adjust_contrast`.
 *
 * @param options - `amount` 0 … 1, default 0.2; `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { contrast } from 'transferkit';
 * console.log(contrast().amount); // 0.2
 * ```
 */
export function contrast({
  amount = 0.2,
  probability = 1,
}: OperationOptions<'contrast'> = {}): ImageOperation<'contrast'> {
  return {
    name: 'contrast',
    amount: within('contrast', 'amount', amount, [0, 1]),
    probability: probabilityOf('contrast', probability),
  };
}

/**
 * Makes colours paler or stronger: distances from the gray of the same pixel times a factor drawn evenly from 1 - `amount` to
 * 1 + `amount`.
 *
 * torchvision's `adjust_saturation`.
 *
 * @param options - `amount` 0 … 1, default 0.2; `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { saturation } from 'transferkit';
 * console.log(saturation({ probability: 0.5 }).amount); // 0.2
 * ```
 */
export function saturation({
  amount = 0.2,
  probability = 1,
}: OperationOptions<'saturation'> = {}): ImageOperation<'saturation'> {
  return {
    name: 'saturation',
    amount: within('saturation', 'amount', amount, [0, 1]),
    probability: probabilityOf('saturation', probability),
  };
}

/**
 * Turns colours around the gray axis by an angle drawn evenly up to the largest to either side: in the plane of U and V of
 * YUV (ITU-R BT.470), so that the gray of every colour stays as it is.
 *
 * @param options - `amount` as a share of the circle of colours, 0 … 0.5, default 0.05; `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { hue } from 'transferkit';
 * console.log(hue({ amount: 0.1 }).amount); // 0.1
 * ```
 */
export function hue({ amount = 0.05, probability = 1 }: OperationOptions<'hue'> = {}): ImageOperation<'hue'> {
  return {
    name: 'hue',
    amount: within('hue', 'amount', amount, [0, 0.5]),
    probability: probabilityOf('hue', probability),
  };
}

/**
 * Takes the colours away: each pixel becomes its luma, 0.299 red + 0.587 green + 0.114 blue.
 *
 * ITU-R BT.601, as in PIL and torchvision's `rgb_to_grayscale`.
 *
 * @param options - `probability` 0 … 1, default 0.1.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { grayscale } from 'transferkit';
 * console.log(grayscale()); // { name: 'grayscale', probability: 0.1 }
 * ```
 */
export function grayscale({ probability = 0.1 }: OperationOptions<'grayscale'> = {}): ImageOperation<'grayscale'> {
  return { name: 'grayscale', probability: probabilityOf('grayscale', probability) };
}
