// Losses for regression, each averaged over the outputs of an example.
import { nameErrors } from '../core/edge.ts';
import { abs, mean, minimum, mul, scalar, sign, square, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { tasksTaking } from '../model/tasks/tasks.ts';
import type { Loss } from './loss.ts';
import { assertOptions } from '../core/optionNames.ts';

/** Mean of squared differences, [b]. Both arguments are [b, outputs]. Keras's `MeanSquaredError` of each row. */
export function meanSquaredError(predictions: Tensor, targets: Tensor): Tensor {
  return tidy(() => mean(square(sub(predictions, targets)), -1));
}

/**
 * Mean of absolute differences, [b]. Both arguments are [b, outputs]. The gradient at difference 0 is 0, as in PyTorch.
 */
export function meanAbsoluteError(predictions: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const errors = sub(predictions, targets);
    return mean(mul(errors, sign(errors)), -1);
  });
}

/** Options of {@link huberLoss}. */
export interface HuberLossOptions {
  /**
   * Size of a difference above which the loss is linear instead of squared. Above 0, in units of the targets. Default
   * 1.
   */
  readonly delta?: number;
}

/**
 * Makes the Huber loss for regression: `e² / 2` for differences up to `delta`, `delta · (|e| - delta / 2)` above,
 * averaged over the outputs. Outliers have less influence than in the mean squared error.
 *
 * Huber, "Robust Estimation of a Location Parameter", 1964. Keras's `Huber` and PyTorch's `HuberLoss` compute the same.
 *
 * @param options - See {@link HuberLossOptions}.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { huberLoss } from 'transferkit';
 * const loss = huberLoss({ delta: 0.5 }); // for trainHead(model, samples, { loss })
 * console.log(loss.name); // huber
 * ```
 */
export function huberLoss(options: HuberLossOptions = {}): Loss {
  return nameErrors('huberLoss', () => {
    assertOptions(options, { delta: true });
    const { delta = 1 } = options;
    if (!(Number.isFinite(delta) && delta > 0)) {
      const text = `expected delta to be a finite number above 0, got ${String(delta)}.`;
      throw new TransferKitError('INVALID_OPTION', text, { delta });
    }
    return {
      name: 'huber',
      settings: { delta },
      tasks: tasksTaking('huber'),
      losses: (predictions, targets) =>
        tidy(() => {
          const size = abs(sub(predictions, targets));
          const inside = minimum(size, scalar(delta));
          // With q = min(|e|, delta), q (|e| - q / 2) covers both cases. No gradient where e is 0.
          return mean(mul(inside, sub(size, mul(inside, scalar(0.5)))), -1);
        }),
    };
  });
}
