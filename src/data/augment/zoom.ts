// Zooms into or out of pictures.
import { nameErrors } from '../../core/edge.ts';
import { evenly, toEitherSide, type Random, type Size } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { Operation, PictureFill } from './operation.ts';
import { fillOf, probabilityOf, rangeWithin } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link zoom}. */
export interface ZoomOptions {
  /** Smallest and largest factor, 0.1 … 10. Factors above 1 show nothing outside the picture. Default [1, 1.1]. */
  readonly range?: readonly [number, number];
  /** Values outside the picture. Default `'reflect'`. */
  readonly fill?: PictureFill;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Zooms into (factors above 1) or out of pictures, around a point drawn uniformly from the picture. Source: fastai's
 * `Zoom`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { zoom } from 'transferkit/augment';
 * console.log(zoom({ range: [0.9, 1.2] }).fill); // reflect
 * ```
 */
export function zoom(options: ZoomOptions = {}): Operation<'zoom', ZoomOptions> {
  return nameErrors('zoom', () => {
    assertOptions(options, { range: true, fill: true, probability: true });
    const { range = [1, 1.1], fill = 'reflect', probability = 1 } = options;
    return {
      name: 'zoom',
      range: rangeWithin('range', range, [0.1, 10]),
      fill: fillOf(fill),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the map from each pixel of the result to its source. */
export function zoomMap({ range }: Operation<'zoom', ZoomOptions>, random: Random, { height, width }: Size): Matrix {
  const share = 1 / evenly(random, range);
  const x = toEitherSide(random, 0.5) * width;
  const y = toEitherSide(random, 0.5) * height;
  return [share, 0, x * (1 - share), 0, share, y * (1 - share), 0, 0, 1];
}
