// Shears the columns and the rows of pictures.
import { nameErrors } from '../../core/edge.ts';
import { toEitherSide, type Random } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { Operation, PictureFill } from './operation.ts';
import { fillOf, probabilityOf, within } from './operationChecks.ts';
import { leaning, toRadians } from './pictureMap.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link shear}. */
export interface ShearOptions {
  /** Largest angle of the columns in either direction, in degrees, 0 … 60. Default 10. */
  readonly horizontal?: number;
  /** Largest angle of the rows in either direction, in degrees, 0 … 60. Default 0. */
  readonly vertical?: number;
  /** Values outside the picture. Default `'reflect'`. */
  readonly fill?: PictureFill;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Shears the columns and the rows of pictures, by angles drawn uniformly up to the largest in either direction.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { shear } from 'transferkit/augment';
 * console.log(shear({ horizontal: 5, probability: 0.5 }).vertical); // 0
 * ```
 */
export function shear(options: ShearOptions = {}): Operation<'shear', ShearOptions> {
  return nameErrors('shear', () => {
    assertOptions(options, { horizontal: true, vertical: true, fill: true, probability: true });
    const { horizontal = 10, vertical = 0, fill = 'reflect', probability = 1 } = options;
    return {
      name: 'shear',
      horizontal: within('horizontal', horizontal, [0, 60]),
      vertical: within('vertical', vertical, [0, 60]),
      fill: fillOf(fill),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the map from each pixel of the result to its source. */
export function shearMap({ horizontal, vertical }: Operation<'shear', ShearOptions>, random: Random): Matrix {
  const x = Math.tan(toRadians(toEitherSide(random, horizontal)));
  return leaning(x, Math.tan(toRadians(toEitherSide(random, vertical))));
}
