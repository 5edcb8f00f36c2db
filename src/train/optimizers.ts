// Optimizers as pairs of pure functions. State belongs to one weight and is kept by the loop under the weight's name.
import { add, div, mul, scalar, sqrt, square, sub, tidy, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { updateTogether } from './updateTogether.ts';

/** One step of one weight. */
export interface OptimizerStep {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  /** What `init` or the step before gave. */
  readonly state: readonly Tensor[];
  readonly learningRate: number;
  /** Counted from 1. */
  readonly step: number;
}

/** How weights follow gradients. `init` and `update` neither dispose nor change what they are given. */
export interface Optimizer {
  readonly name: string;
  readonly defaultLearningRate: number;
  /** State before the first step, such as tensors of zeros; [] for none. The caller owns the tensors. */
  init(weight: Tensor): Tensor[];
  /** The weight and state after a step, as new tensors that the caller owns. */
  update(step: OptimizerStep): { readonly weight: Tensor; readonly state: Tensor[] };
  /**
   * The same for all weights at once, where the backend has a kernel for it: gives the weights after the step as new
   * tensors that the caller owns, and changes the state in place. Undefined, with nothing changed, where it has none.
   */
  updateAll?(steps: readonly OptimizerStep[]): readonly Tensor[] | undefined;
}

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
 * Adam: `w -= rate · m̂ / (√v̂ + ε)` with bias-corrected means of gradients and squared gradients.
 *
 * Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { adam } from 'transferkit';
 * console.log(adam({ beta2: 0.99 }).name); // adam
 * ```
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions = {}): Optimizer {
  assertDecay('adam', 'beta1', beta1);
  assertDecay('adam', 'beta2', beta2);
  if (!(epsilon > 0)) throw invalid('adam', 'epsilon above 0', epsilon);
  return {
    name: 'adam',
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
    updateAll: (steps) => {
      const step = steps[0]?.step ?? 1;
      return updateTogether(steps, {
        rule: 'adam',
        numbers: [beta1, 1 - beta1, beta2, 1 - beta2, 1 - beta2 ** step, epsilon],
        rates: steps.map(({ learningRate }) => learningRate / (1 - beta1 ** step)),
      });
    },
  };
}

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

function assertDecay(optimizer: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1)) throw invalid(optimizer, `${name} at least 0 and below 1`, value);
}

function invalid(optimizer: string, expected: string, received: number): TransferKitError {
  const text = `${optimizer}: expected ${expected}, got ${String(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
