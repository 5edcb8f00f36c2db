// Adagrad.
import { nameErrors } from '../../core/edge.ts';
import { add, div, fill, mul, sqrt, square, sub, tidy } from '@tensorflow/tfjs-core';
import { assertPositive, type Optimizer } from './optimizer.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link adagrad}. */
export interface AdagradOptions {
  /** Initial value of the sums of squared gradients, from 0. Default 0, as in PyTorch (Keras: 0.1). */
  readonly initialSum?: number;
  /** Added to the root, above 0. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * Adagrad: `s += g²; w -= rate · g / (√s + ε)`.
 *
 * Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { adagrad } from 'transferkit/optimizers';
 * console.log(adagrad({ initialSum: 0.1 }).name); // adagrad
 * ```
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  return nameErrors('adagrad', () => {
    assertOptions(options, { initialSum: true, epsilon: true });
    const { initialSum = 0, epsilon = 1e-7 } = options;
    assertPositive('initialSum', initialSum, true);
    assertPositive('epsilon', epsilon);
    return {
      name: 'adagrad',
      settings: { initialSum, epsilon },
      defaultLearningRate: 1e-2,
      init: (weight) => [fill(weight.shape, initialSum)],
      update({ weight, gradient, state: [sum = weight], learningRate }) {
        return tidy(() => {
          const newSum = add(sum, square(gradient));
          const change = div(mul(gradient, learningRate), add(sqrt(newSum), epsilon));
          return { weight: sub(weight, change), state: [newSum] };
        });
      },
    };
  });
}
