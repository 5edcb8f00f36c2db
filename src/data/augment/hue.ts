// Rotates the hue of pictures.
import { nameErrors } from '../../core/edge.ts';
import { turnHue, type ColourChange } from './colourChange.ts';
import { toEitherSide, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, within } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link hue}. */
export interface HueOptions {
  /** Largest rotation in either direction, as a share of the full circle of hues, 0 … 0.5. Default 0.05. */
  readonly amount?: number;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Rotates hues by an angle drawn uniformly from -`amount` to `amount`, in the plane of U and V of YUV (ITU-R BT.470).
 * The gray of every colour stays the same.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { hue } from 'transferkit/augment';
 * console.log(hue({ amount: 0.1 }).amount); // 0.1
 * ```
 */
export function hue(options: HueOptions = {}): Operation<'hue', HueOptions> {
  return nameErrors('hue', () => {
    assertOptions(options, { amount: true, probability: true });
    const { amount = 0.05, probability = 1 } = options;
    return {
      name: 'hue',
      amount: within('amount', amount, [0, 0.5]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws the change of the colours of one picture. */
export function hueChange({ amount }: Operation<'hue', HueOptions>, random: Random): ColourChange {
  return turnHue(toEitherSide(random, amount));
}
