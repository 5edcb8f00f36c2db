// Makes pictures darker or brighter.
import { nameErrors } from '../../core/edge.ts';
import { brighten, type ColourChange } from './colourChange.ts';
import { aroundOne, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link brightness}. */
export interface BrightnessOptions {
  /** Largest distance of the factor from 1, 0 … 1. Default 0.2. */
  readonly amount?: number;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Makes pictures darker or brighter: multiplies all values by a factor drawn uniformly from 1 - `amount` to 1 +
 * `amount`.
 *
 * Source: torchvision's `adjust_brightness`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { brightness } from 'transferkit/augment';
 * console.log(brightness({ amount: 0.4 })); // { name: 'brightness', amount: 0.4, probability: 1 }
 * ```
 */
export function brightness(options: BrightnessOptions = {}): Operation<'brightness', BrightnessOptions> {
  return nameErrors('brightness', () => {
    assertOptions(options, { amount: true, probability: true });
    const { amount = 0.2, probability = 1 } = options;
    return {
      name: 'brightness',
      amount: within('amount', amount, [0, 1]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the change of the colours of one picture. */
export function brightnessChange({ amount }: Operation<'brightness', BrightnessOptions>, random: Random): ColourChange {
  return brighten(aroundOne(random, amount));
}
