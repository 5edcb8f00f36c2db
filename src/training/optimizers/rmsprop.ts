// RMSprop.
import { nameErrors } from '../../core/edge.ts';
import { add, div, mul, relu, sqrt, square, sub, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { assertDecay, assertPositive, type Optimizer } from './optimizer.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link rmsprop}. */
export interface RmspropOptions {
  /** Decay of the mean of squared gradients, from 0 to below 1. Default 0.9, as in Keras (PyTorch's alpha is 0.99). */
  readonly decay?: number;
  /** Momentum: share of the velocity that is kept, from 0 to below 1. Default 0. */
  readonly momentum?: number;
  /**
   * Whether to subtract the squared mean of the gradients from the mean of their squares, so that gradients are divided
   * by an estimate of their standard deviation. Default false.
   */
  readonly centered?: boolean;
  /** Added to the root, above 0. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * RMSprop, as in PyTorch: `s = decay · s + (1 - decay) · g²; v = momentum · v + g / (√s + ε); w -= rate · v`.
 *
 * The mean of squares begins at 0 and is not corrected, as in PyTorch and Keras: the first step of a weight is
 * `1 / √(1 - decay)` times the learning rate (3.2 times by default), also for weights that are unfrozen late.
 *
 * Tieleman and Hinton, "Lecture 6.5 - RMSProp", 2012; centered: Graves, "Generating Sequences With Recurrent Neural
 * Networks", 2013, section 4.2.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { rmsprop } from 'transferkit/optimizers';
 * console.log(rmsprop({ momentum: 0.9 }).name); // rmsprop
 * ```
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  return nameErrors('rmsprop', () => {
    assertOptions(options, { decay: true, momentum: true, centered: true, epsilon: true });
    const { decay = 0.9, momentum = 0, centered = false, epsilon = 1e-7 } = options;
    assertDecay('decay', decay);
    assertDecay('momentum', momentum);
    assertPositive('epsilon', epsilon);
    return {
      name: 'rmsprop',
      settings: { decay, momentum, centered, epsilon },
      defaultLearningRate: 1e-3,
      init: (weight) => [true, centered, momentum > 0].flatMap((kept) => (kept ? [zerosLike(weight)] : [])),
      update({ weight, gradient, state, learningRate }) {
        return tidy(() => {
          const [power = weight, ...others] = state;
          const [mean, velocity] = centered ? others : [undefined, ...others];
          const newPower = add(mul(power, decay), mul(square(gradient), 1 - decay));
          const newMean = mean && add(mul(mean, decay), mul(gradient, 1 - decay));
          // If gradients hardly change, rounding may make the variance negative.
          const variance = newMean === undefined ? newPower : relu(sub(newPower, square(newMean)));
          const step = div(gradient, add(sqrt(variance), epsilon));
          const newVelocity = velocity && add(mul(velocity, momentum), step);
          return {
            weight: sub(weight, mul(newVelocity ?? step, learningRate)),
            state: [newPower, newMean, newVelocity].flatMap((kept) => kept ?? []),
          };
        });
      },
    };
  });
}
