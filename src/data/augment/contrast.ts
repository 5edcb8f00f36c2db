// Reduces or increases the contrast of pictures.
import { nameErrors } from '../../core/edge.ts';
import { contrastBy, type ColourChange } from './colourChange.ts';
import { aroundOne, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link contrast}. */
export interface ContrastOptions {
  /** Largest distance of the factor from 1, 0 … 1. Default 0.2. */
  readonly amount?: number;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Reduces or increases contrast: multiplies distances from the mean gray of the picture by a factor drawn uniformly
 * from 1 - `amount` to 1 + `amount`.
 *
 * Source: torchvision's `adjust_contrast`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { contrast } from 'transferkit/augment';
 * console.log(contrast().amount); // 0.2
 * ```
 */
export function contrast(options: ContrastOptions = {}): Operation<'contrast', ContrastOptions> {
  return nameErrors('contrast', () => {
    assertOptions(options, { amount: true, probability: true });
    const { amount = 0.2, probability = 1 } = options;
    return {
      name: 'contrast',
      amount: within('amount', amount, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the change of the colours of one picture. */
export function contrastChange({ amount }: Operation<'contrast', ContrastOptions>, random: Random): ColourChange {
  return contrastBy(aroundOne(random, amount));
}
