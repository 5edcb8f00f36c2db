// Stochastic gradient descent.
import { add, mul, sub, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { assertDecay, type Optimizer } from './optimizer.ts';
import { updateTogether } from './updateTogether.ts';

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Share of the last velocity that is kept, 0 … below 1. Default 0. */
  readonly momentum?: number;
  /** Looks ahead along the velocity (Nesterov). Default false. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent with momentum, as in PyTorch: `v = momentum · v + g; w -= rate · v`.
 *
 * Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { sgd } from 'transferkit';
 * console.log(sgd({ momentum: 0.9 }).name); // sgd
 * ```
 */
export function sgd({ momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  assertDecay('sgd', 'momentum', momentum);
  return {
    name: 'sgd',
    defaultLearningRate: 1e-2,
    init: (weight) => (momentum === 0 ? [] : [zerosLike(weight)]),
    update({ weight, gradient, state: [velocity], learningRate }) {
      return tidy(() => {
        if (velocity === undefined) return { weight: sub(weight, mul(gradient, learningRate)), state: [] };
        const newVelocity = add(mul(velocity, momentum), gradient);
        const direction = nesterov ? add(gradient, mul(newVelocity, momentum)) : newVelocity;
        return { weight: sub(weight, mul(direction, learningRate)), state: [newVelocity] };
      });
    },
    updateAll: (steps) =>
      updateTogether(steps, {
        rule: momentum === 0 ? 'descent' : nesterov ? 'nesterov' : 'momentum',
        numbers: [momentum],
        rates: steps.map(({ learningRate }) => learningRate),
      }),
  };
}
