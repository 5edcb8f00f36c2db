// Crops a part of the picture and enlarges it to the picture's size.
import { nameErrors } from '../../core/edge.ts';
import { drawPart, toEitherSide, type Random, type Size } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, rangeWithin } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link randomResizedCrop}. */
export interface RandomResizedCropOptions {
  /** Smallest and largest share of the picture's area, 0.01 … 1. Default [0.5, 1]. */
  readonly area?: readonly [number, number];
  /** Smallest and largest aspect ratio (width / height) of the part, 0.1 … 10. Default [3 / 4, 4 / 3]. */
  readonly aspect?: readonly [number, number];
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Crops a part of the picture and enlarges it to the picture's size. Its share of the area and its position are drawn
 * uniformly, its aspect ratio uniformly on a logarithmic scale. A side longer than the picture's is clipped.
 *
 * Source: Szegedy et al., "Going Deeper with Convolutions", 2015, section 6; torchvision's `RandomResizedCrop`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { randomResizedCrop } from 'transferkit/augment';
 * console.log(randomResizedCrop({ aspect: [1, 1] }).area); // [ 0.5, 1 ]
 * ```
 */
export function randomResizedCrop(
  options: RandomResizedCropOptions = {},
): Operation<'randomResizedCrop', RandomResizedCropOptions> {
  return nameErrors('randomResizedCrop', () => {
    assertOptions(options, { area: true, aspect: true, probability: true });
    const { area = [0.5, 1], aspect = [3 / 4, 4 / 3], probability = 1 } = options;
    return {
      name: 'randomResizedCrop',
      area: rangeWithin('area', area, [0.01, 1]),
      aspect: rangeWithin('aspect', aspect, [0.1, 10]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the map from each pixel of the result to its source. */
export function randomResizedCropMap(
  operation: Operation<'randomResizedCrop', RandomResizedCropOptions>,
  random: Random,
  size: Size,
): Matrix {
  const part = drawPart(random, size, operation);
  const x = toEitherSide(random, (size.width - part.width) / 2);
  const y = toEitherSide(random, (size.height - part.height) / 2);
  return [part.width / size.width, 0, x, 0, part.height / size.height, y, 0, 0, 1];
}
