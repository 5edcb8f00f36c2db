// Stochastic gradient descent.
import { nameErrors } from '../../core/edge.ts';
import { add, mul, sub, tidy, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { assertDecay, assertPositive, invalidSetting, type Optimizer, type OptimizerStep } from './optimizer.ts';
import { updateTogether } from './updateTogether.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Momentum: share of the velocity that is kept, from 0 to below 1. Default 0. */
  readonly momentum?: number;
  /** Whether to use Nesterov's momentum; needs `momentum` above 0. Default false. */
  readonly nesterov?: boolean;
  /** Weight decay: this share of each weight is added to its gradient; from 0. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum and weight decay, as in PyTorch: `g += decay · w; v = momentum · v + g;
 * w -= rate · v`.
 *
 * Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { sgd } from 'transferkit/optimizers';
 * console.log(sgd({ momentum: 0.9 }).name); // sgd
 * ```
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  return nameErrors('sgd', () => {
    assertOptions(options, { momentum: true, nesterov: true, weightDecay: true });
    const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
    assertDecay('momentum', momentum);
    assertPositive('weightDecay', weightDecay, true);
    if (nesterov && momentum === 0) throw invalidSetting('momentum above 0 for nesterov', momentum);
    const withDecay = ({ weight, gradient }: OptimizerStep): Tensor =>
      weightDecay === 0 ? gradient : add(gradient, mul(weight, weightDecay));
    return {
      name: 'sgd',
      settings: { momentum, nesterov, weightDecay },
      defaultLearningRate: 1e-2,
      init: (weight) => (momentum === 0 ? [] : [zerosLike(weight)]),
      update(step) {
        return tidy(() => {
          const { weight, state, learningRate } = step;
          const [velocity] = state;
          const gradient = withDecay(step);
          if (velocity === undefined) return { weight: sub(weight, mul(gradient, learningRate)), state: [] };
          const newVelocity = add(mul(velocity, momentum), gradient);
          const direction = nesterov ? add(gradient, mul(newVelocity, momentum)) : newVelocity;
          return { weight: sub(weight, mul(direction, learningRate)), state: [newVelocity] };
        });
      },
      updateAll: (steps) =>
        tidy(() => {
          const moved = updateTogether(
            steps.map((step) => ({ ...step, gradient: withDecay(step) })),
            {
              rule: momentum === 0 ? 'descent' : nesterov ? 'nesterov' : 'momentum',
              numbers: [momentum],
              rates: steps.map(({ learningRate }) => learningRate),
            },
          );
          return moved && [...moved];
        }),
    };
  });
}
