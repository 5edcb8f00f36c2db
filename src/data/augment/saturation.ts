// Reduces or increases the saturation of pictures.
import { nameErrors } from '../../core/edge.ts';
import { saturate, type ColourChange } from './colourChange.ts';
import { aroundOne, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link saturation}. */
export interface SaturationOptions {
  /** Largest distance of the factor from 1, 0 … 1. Default 0.2. */
  readonly amount?: number;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Makes colours paler or stronger: multiplies distances from the gray of the same pixel by a factor drawn uniformly
 * from 1 - `amount` to 1 + `amount`.
 *
 * Source: torchvision's `adjust_saturation`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { saturation } from 'transferkit/augment';
 * console.log(saturation({ probability: 0.5 }).amount); // 0.2
 * ```
 */
export function saturation(options: SaturationOptions = {}): Operation<'saturation', SaturationOptions> {
  return nameErrors('saturation', () => {
    assertOptions(options, { amount: true, probability: true });
    const { amount = 0.2, probability = 1 } = options;
    return {
      name: 'saturation',
      amount: within('amount', amount, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the change of the colours of one picture. */
export function saturationChange({ amount }: Operation<'saturation', SaturationOptions>, random: Random): ColourChange {
  return saturate(aroundOne(random, amount));
}
