// Moves pictures.
import { nameErrors } from '../../core/edge.ts';
import { toEitherSide, type Random, type Size } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { Operation, PictureFill } from './operation.ts';
import { fillOf, probabilityOf, within } from './operationChecks.ts';
import { moving } from './pictureMap.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link shift}. */
export interface ShiftOptions {
  /** Largest shift in either direction as a share of the width, 0 … 1. Default 0.1. */
  readonly horizontal?: number;
  /** Largest shift in either direction as a share of the height, 0 … 1. Default 0.1. */
  readonly vertical?: number;
  /** Values outside the picture. Default `'reflect'`. */
  readonly fill?: PictureFill;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Moves pictures horizontally and vertically, by shares of their width and height drawn uniformly up to the largest in
 * either direction.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { shift } from 'transferkit/augment';
 * console.log(shift({ vertical: 0 }).horizontal); // 0.1
 * ```
 */
export function shift(options: ShiftOptions = {}): Operation<'shift', ShiftOptions> {
  return nameErrors('shift', () => {
    assertOptions(options, { horizontal: true, vertical: true, fill: true, probability: true });
    const { horizontal = 0.1, vertical = 0.1, fill = 'reflect', probability = 1 } = options;
    return {
      name: 'shift',
      horizontal: within('horizontal', horizontal, [0, 1]),
      vertical: within('vertical', vertical, [0, 1]),
      fill: fillOf(fill),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the map from each pixel of the result to its source. */
export function shiftMap(
  { horizontal, vertical }: Operation<'shift', ShiftOptions>,
  random: Random,
  { height, width }: Size,
): Matrix {
  const x = toEitherSide(random, horizontal) * width;
  return moving(x, toEitherSide(random, vertical) * height);
}
