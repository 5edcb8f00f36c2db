// Operations that move pixels. Those that follow each other are carried out as one, so that pictures are resampled once.
import type { ImageOperation, OperationOptions } from './imageOperation.ts';
import { fillOf, invalidSetting, probabilityOf, rangeWithin, within } from './operationChecks.ts';

/**
 * Mirrors pictures: left and right, or top and bottom.
 *
 * @param options - `direction` `'horizontal'` (left and right, the default) or `'vertical'`; `probability` 0 … 1, default 0.5.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { flip } from 'transferkit';
 * console.log(flip()); // { name: 'flip', direction: 'horizontal', probability: 0.5 }
 * ```
 */
export function flip({
  direction = 'horizontal',
  probability = 0.5,
}: OperationOptions<'flip'> = {}): ImageOperation<'flip'> {
  if (!isDirection(direction)) throw invalidSetting('flip', "direction to be 'horizontal' or 'vertical'", direction);
  return { name: 'flip', direction, probability: probabilityOf('flip', probability) };
}

/**
 * Moves pictures sideways and up or down, by shares of their width and height drawn evenly up to the largest to either side.
 *
 * @param options - Largest shares `horizontal` and `vertical`, 0 … 1, default 0.1; `fill` (default `'reflect'`);
 * `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { shift } from 'transferkit';
 * console.log(shift({ vertical: 0 }).horizontal); // 0.1
 * ```
 */
export function shift({
  horizontal = 0.1,
  vertical = 0.1,
  fill = 'reflect',
  probability = 1,
}: OperationOptions<'shift'> = {}): ImageOperation<'shift'> {
  return {
    name: 'shift',
    horizontal: within('shift', 'horizontal', horizontal, [0, 1]),
    vertical: within('shift', 'vertical', vertical, [0, 1]),
    fill: fillOf('shift', fill),
    probability: probabilityOf('shift', probability),
  };
}

/**
 * Turns pictures around their middle by an angle drawn evenly up to the largest to either side.
 *
 * @param options - Largest angle `degrees`, 0 … 180, default 10; `fill` (default `'reflect'`); `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { rotate } from 'transferkit';
 * await trainHead(model, samples, { epochs: 1, augment: [rotate({ degrees: 15 })] });
 * ```
 */
export function rotate({
  degrees = 10,
  fill = 'reflect',
  probability = 1,
}: OperationOptions<'rotate'> = {}): ImageOperation<'rotate'> {
  return {
    name: 'rotate',
    degrees: within('rotate', 'degrees', degrees, [0, 180]),
    fill: fillOf('rotate', fill),
    probability: probabilityOf('rotate', probability),
  };
}

/**
 * Makes what is seen larger or smaller, around a place drawn evenly from the picture, as fastai's `Zoom` does.
 *
 * @param options - Least and largest factor `range`, 0.1 … 10, default [1, 1.1]; above 1 nothing outside the picture is seen;
 * `fill` (default `'reflect'`); `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { zoom } from 'transferkit';
 * console.log(zoom({ range: [0.9, 1.2] }).fill); // reflect
 * ```
 */
export function zoom({
  range = [1, 1.1],
  fill = 'reflect',
  probability = 1,
}: OperationOptions<'zoom'> = {}): ImageOperation<'zoom'> {
  return {
    name: 'zoom',
    range: rangeWithin('zoom', 'range', range, [0.1, 10]),
    fill: fillOf('zoom', fill),
    probability: probabilityOf('zoom', probability),
  };
}

/**
 * Leans the columns of pictures, and the rows, by angles drawn evenly up to the largest to either side.
 *
 * @param options - Largest angles in degrees: `horizontal` of the columns (default 10), `vertical` of the rows (default 0), 0 …
 * 60; `fill` (default `'reflect'`); `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { shear } from 'transferkit';
 * console.log(shear({ horizontal: 5, probability: 0.5 }).vertical); // 0
 * ```
 */
export function shear({
  horizontal = 10,
  vertical = 0,
  fill = 'reflect',
  probability = 1,
}: OperationOptions<'shear'> = {}): ImageOperation<'shear'> {
  return {
    name: 'shear',
    horizontal: within('shear', 'horizontal', horizontal, [0, 60]),
    vertical: within('shear', 'vertical', vertical, [0, 60]),
    fill: fillOf('shear', fill),
    probability: probabilityOf('shear', probability),
  };
}

/**
 * Tilts pictures around their upright and their level axis, as if seen from the side and from above: of two opposite
 * edges one grows by a share drawn evenly up to `amount`, the other shrinks by it. Around one axis it is fastai's `Warp`.
 *
 * @param options - Largest share `amount`, 0 … 0.5, default 0.2; `fill` (default `'reflect'`); `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { perspective } from 'transferkit';
 * console.log(perspective({ probability: 0.75 }).amount); // 0.2
 * ```
 */
export function perspective({
  amount = 0.2,
  fill = 'reflect',
  probability = 1,
}: OperationOptions<'perspective'> = {}): ImageOperation<'perspective'> {
  return {
    name: 'perspective',
    amount: within('perspective', 'amount', amount, [0, 0.5]),
    fill: fillOf('perspective', fill),
    probability: probabilityOf('perspective', probability),
  };
}

/**
 * Shows a part of the picture in the picture's size. Its share of the area is drawn evenly, its width by height evenly on a
 * logarithmic scale, its place evenly; a side that would be longer than the picture's is cut to it.
 *
 * Szegedy et al., "Going Deeper with Convolutions", 2015, section 6; torchvision's `RandomResizedCrop`.
 *
 * @param options - Least and largest `area`, 0.01 … 1, default [0.5, 1]; least and largest `aspect`, 0.1 … 10, default
 * [3 / 4, 4 / 3]; `probability` (default 1).
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { randomResizedCrop } from 'transferkit';
 * console.log(randomResizedCrop({ aspect: [1, 1] }).area); // [ 0.5, 1 ]
 * ```
 */
export function randomResizedCrop({
  area = [0.5, 1],
  aspect = [3 / 4, 4 / 3],
  probability = 1,
}: OperationOptions<'randomResizedCrop'> = {}): ImageOperation<'randomResizedCrop'> {
  return {
    name: 'randomResizedCrop',
    area: rangeWithin('randomResizedCrop', 'area', area, [0.01, 1]),
    aspect: rangeWithin('randomResizedCrop', 'aspect', aspect, [0.1, 10]),
    probability: probabilityOf('randomResizedCrop', probability),
  };
}

function isDirection(value: unknown): value is 'horizontal' | 'vertical' {
  return value === 'horizontal' || value === 'vertical';
}
