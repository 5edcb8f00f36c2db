// Lion: steps of equal size, with the sign of a mean of gradients.
import { nameErrors } from '../../core/edge.ts';
import { add, mul, scalar, sign, sub, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { assertDecay, assertPositive, type Optimizer } from './optimizer.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link lion}. */
export interface LionOptions {
  /** Share of the mean of gradients in the direction of a step, from 0 to below 1. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of gradients, 0 … below 1. Default 0.99. */
  readonly beta2?: number;
  /** Weight decay: each step subtracts this share of a weight, times the learning rate; from 0. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Lion: `w ← w · (1 - rate · decay) - rate · sign(β₁ m + (1 - β₁) g); m ← β₂ m + (1 - β₂) g`. It keeps one tensor for
 * each weight, half of what Adam keeps. Every step changes each value by the whole rate, so its default rate is a tenth
 * of Adam's. For the same effect, the weight decay must be three to ten times that of AdamW. Weights with at most one
 * axis do not decay, as in {@link adamW}.
 *
 * Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, algorithm 2. The default rate of 1e-4 is that of
 * the authors' program; Keras's `Lion` computes the same with a default of 1e-3.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { lion } from 'transferkit/optimizers';
 * console.log(lion({ weightDecay: 0.1 }).name); // lion
 * ```
 */
export function lion(options: LionOptions = {}): Optimizer {
  return nameErrors('lion', () => {
    assertOptions(options, { beta1: true, beta2: true, weightDecay: true });
    const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
    assertDecay('beta1', beta1);
    assertDecay('beta2', beta2);
    assertPositive('weightDecay', weightDecay, true);
    return {
      name: 'lion',
      settings: { beta1, beta2, weightDecay },
      defaultLearningRate: 1e-4,
      init: (weight) => [zerosLike(weight)],
      update({ weight, gradient, state: [mean = weight], learningRate }) {
        return tidy(() => {
          const direction = sign(add(mul(mean, beta1), mul(gradient, 1 - beta1)));
          const kept = weight.rank < 2 ? weight : mul(weight, scalar(1 - learningRate * weightDecay));
          const newMean = add(mul(mean, beta2), mul(gradient, 1 - beta2));
          return { weight: sub(kept, mul(direction, learningRate)), state: [newMean] };
        });
      },
    };
  });
}
