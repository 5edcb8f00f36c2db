// Rotates pictures.
import { nameErrors } from '../../core/edge.ts';
import { toEitherSide, type Random } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { Operation, PictureFill } from './operation.ts';
import { fillOf, probabilityOf, within } from './operationChecks.ts';
import { toRadians, turning } from './pictureMap.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link rotate}. */
export interface RotateOptions {
  /** Largest angle in degrees in either direction, 0 … 180. Default 10. */
  readonly degrees?: number;
  /** Values outside the picture. Default `'reflect'`. */
  readonly fill?: PictureFill;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Rotates pictures around their centre by an angle drawn uniformly from -`degrees` to `degrees`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { rotate } from 'transferkit/augment';
 * await trainHead(model, samples, { epochs: 1, augment: [rotate({ degrees: 15 })] });
 * ```
 */
export function rotate(options: RotateOptions = {}): Operation<'rotate', RotateOptions> {
  return nameErrors('rotate', () => {
    assertOptions(options, { degrees: true, fill: true, probability: true });
    const { degrees = 10, fill = 'reflect', probability = 1 } = options;
    return {
      name: 'rotate',
      degrees: within('degrees', degrees, [0, 180]),
      fill: fillOf(fill),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the map from each pixel of the result to its source. */
export function rotateMap({ degrees }: Operation<'rotate', RotateOptions>, random: Random): Matrix {
  return turning(toRadians(toEitherSide(random, degrees)));
}
