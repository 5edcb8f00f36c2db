// Mirrors pictures.
import { nameErrors } from '../../core/edge.ts';
import { stretching } from './pictureMap.ts';
import type { Matrix } from './matrix.ts';
import type { Operation } from './operation.ts';
import { invalidSetting, probabilityOf } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link flip}. */
export interface FlipOptions {
  /** Swap left and right (default), or top and bottom. */
  readonly direction?: 'horizontal' | 'vertical';
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Mirrors pictures: swaps left and right, or top and bottom.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { flip } from 'transferkit/augment';
 * console.log(flip()); // { name: 'flip', direction: 'horizontal', probability: 0.5 }
 * ```
 */
export function flip(options: FlipOptions = {}): Operation<'flip', FlipOptions> {
  return nameErrors('flip', () => {
    assertOptions(options, { direction: true, probability: true });
    const { direction = 'horizontal', probability = 0.5 } = options;
    if (!isDirection(direction)) throw invalidSetting("direction to be 'horizontal' or 'vertical'", direction);
    return { name: 'flip', direction, probability: probabilityOf(probability) };
  });
}

/** Returns the map from each pixel of the result to its source. */
export function flipMap({ direction }: Operation<'flip', FlipOptions>): Matrix {
  return direction === 'horizontal' ? stretching(-1, 1) : stretching(1, -1);
}

function isDirection(value: unknown): value is 'horizontal' | 'vertical' {
  return value === 'horizontal' || value === 'vertical';
}
