// Adam, and Adam with decoupled weight decay.
import { nameErrors } from '../../core/edge.ts';
import { add, div, mul, scalar, sqrt, square, sub, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { assertDecay, assertPositive, type Optimizer, type OptimizerStep } from './optimizer.ts';
import { updateByCount } from './updateTogether.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Decay of the mean of gradients, 0 … below 1. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients, 0 … below 1. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root, above 0. Default 1e-7, as in Keras. */
  readonly epsilon?: number;
}

/**
 * Adam: `w -= rate · m̂ / (√v̂ + ε)` with bias-corrected means of gradients and squared gradients. Each weight is
 * corrected by its own number of steps, as in PyTorch, so a layer that is unfrozen late starts like one that trains
 * from the first step.
 *
 * Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { adam } from 'transferkit/optimizers';
 * console.log(adam({ beta2: 0.99 }).name); // adam
 * ```
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return nameErrors('adam', () => {
    assertOptions(options, { beta1: true, beta2: true, epsilon: true });
    const { beta1, beta2, epsilon } = settle(options);
    return {
      name: 'adam',
      settings: { beta1, beta2, epsilon },
      defaultLearningRate: 1e-3,
      init: (weight) => [zerosLike(weight), zerosLike(weight)],
      update({ weight, gradient, state: [mean = weight, power = weight], learningRate, step }) {
        return tidy(() => {
          const newMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
          const newPower = add(mul(power, beta2), mul(square(gradient), 1 - beta2));
          const root = add(sqrt(div(newPower, scalar(1 - beta2 ** step))), epsilon);
          const change = div(mul(newMean, learningRate / (1 - beta1 ** step)), root);
          return { weight: sub(weight, change), state: [newMean, newPower] };
        });
      },
      updateAll: (steps) =>
        updateByCount(steps, (step, own) => ({
          rule: 'adam',
          numbers: [beta1, 1 - beta1, beta2, 1 - beta2, 1 - beta2 ** step, epsilon],
          rates: own.map(({ learningRate }) => learningRate / (1 - beta1 ** step)),
        })),
    };
  });
}

/** Options of {@link adamW}. */
export interface AdamWOptions extends AdamOptions {
  /**
   * Weight decay: each step subtracts this share of a weight, times the learning rate; from 0. Default 0.01, as in
   * PyTorch.
   */
  readonly weightDecay?: number;
}

/**
 * Adam with decoupled weight decay: `w ← w · (1 - rate · decay)` before each step of Adam. Weights with at most one
 * axis do not decay, as in timm (`param_groups_weight_decay`): biases, gamma and beta of BatchNorm.
 *
 * Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { adamW } from 'transferkit/optimizers';
 * console.log(adamW({ weightDecay: 0.05 }).name); // adamW
 * ```
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  return nameErrors('adamW', () => {
    assertOptions(options, { beta1: true, beta2: true, epsilon: true, weightDecay: true });
    const { weightDecay = 0.01, ...ofAdam } = options;
    const settings = { ...settle(ofAdam), weightDecay };
    assertPositive('weightDecay', weightDecay, true);
    const inner = adam(ofAdam);
    const decayed = (step: OptimizerStep): OptimizerStep =>
      step.weight.rank < 2 ? step : { ...step, weight: mul(step.weight, scalar(1 - step.learningRate * weightDecay)) };
    return {
      ...inner,
      name: 'adamW',
      settings,
      update: (step) => tidy(() => inner.update(decayed(step))),
      updateAll: (steps) =>
        tidy(() => {
          const moved = inner.updateAll?.(steps.map(decayed));
          return moved && [...moved];
        }),
    };
  });
}

function settle({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions) {
  assertDecay('beta1', beta1);
  assertDecay('beta2', beta2);
  assertPositive('epsilon', epsilon);
  return { beta1, beta2, epsilon };
}
