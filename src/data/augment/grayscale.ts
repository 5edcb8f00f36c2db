// Removes the colours of pictures.
import { nameErrors } from '../../core/edge.ts';
import { saturate, type ColourChange } from './colourChange.ts';
import type { Operation } from './operation.ts';
import { probabilityOf } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link grayscale}. */
export interface GrayscaleOptions {
  /** Share of the examples that are changed, 0 … 1. Default 0.1. */
  readonly probability?: number;
}

/**
 * Removes the colours: each pixel becomes its luma, 0.299 red + 0.587 green + 0.114 blue.
 *
 * Source: ITU-R BT.601, as in PIL and torchvision's `rgb_to_grayscale`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { grayscale } from 'transferkit/augment';
 * console.log(grayscale()); // { name: 'grayscale', probability: 0.1 }
 * ```
 */
export function grayscale(options: GrayscaleOptions = {}): Operation<'grayscale', GrayscaleOptions> {
  return nameErrors('grayscale', () => {
    assertOptions(options, { probability: true });
    const { probability = 0.1 } = options;
    return { name: 'grayscale', probability: probabilityOf(probability) };
  });
}

/** The change of the colours. */
export function grayscaleChange(): ColourChange {
  return saturate(0);
}
