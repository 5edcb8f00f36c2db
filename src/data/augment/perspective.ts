// Tilts pictures, as if seen from the side and from above.
import { nameErrors } from '../../core/edge.ts';
import { toEitherSide, type Random, type Size } from './drawing.ts';
import { multiply, type Matrix } from './matrix.ts';
import type { Operation, PictureFill } from './operation.ts';
import { fillOf, probabilityOf, within } from './operationChecks.ts';
import { tilting } from './pictureMap.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link perspective}. */
export interface PerspectiveOptions {
  /** Largest share by which an edge grows and the opposite edge shrinks, 0 … 0.5. Default 0.2. */
  readonly amount?: number;
  /** Values outside the picture. Default `'reflect'`. */
  readonly fill?: PictureFill;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Tilts pictures around their vertical and their horizontal axis, as if seen from the side and from above: of two
 * opposite edges one grows by a share drawn uniformly up to `amount`, and the other shrinks by it. Around one axis this
 * is fastai's `Warp`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { perspective } from 'transferkit/augment';
 * console.log(perspective({ probability: 0.75 }).amount); // 0.2
 * ```
 */
export function perspective(options: PerspectiveOptions = {}): Operation<'perspective', PerspectiveOptions> {
  return nameErrors('perspective', () => {
    assertOptions(options, { amount: true, fill: true, probability: true });
    const { amount = 0.2, fill = 'reflect', probability = 1 } = options;
    return {
      name: 'perspective',
      amount: within('amount', amount, [0, 0.5]),
      fill: fillOf(fill),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the map from each pixel of the result to its source. */
export function perspectiveMap(
  { amount }: Operation<'perspective', PerspectiveOptions>,
  random: Random,
  size: Size,
): Matrix {
  const sideways = tilting(toEitherSide(random, amount), 0, size);
  return multiply(sideways, tilting(0, toEitherSide(random, amount), size));
}
