// Updates all weights in one kernel call, if the backend has the kernel.
import { engine, getBackend, getKernel, tidy, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import type { OptimizerStep } from './optimizer.ts';

/** A weight, its gradient and its optimizer state. */
type Moving = Pick<OptimizerStep, 'weight' | 'gradient' | 'state'>;

/** The update rule, in the form of the kernel's arguments. */
export interface UpdateRule {
  /**
   * `adam` keeps a mean of gradients and one of their squares; `momentum` and `nesterov` keep a velocity; all are
   * changed in place. `descent` keeps nothing.
   */
  readonly rule: 'adam' | 'descent' | 'momentum' | 'nesterov';
  /**
   * For `adam`: the decay of the mean and the factor of the gradient, the same two for the squares, the divisor of the
   * squares, and epsilon. For the others: the momentum.
   */
  readonly numbers: number[];
  /** Factor of the change of each weight. */
  readonly rates: number[];
}

const kernelName = 'TransferkitUpdateWeights';

/** The new weights, which the caller owns; undefined if there is no such kernel. */
export function updateTogether(moving: readonly Moving[], rule: UpdateRule): readonly Tensor[] | undefined {
  return canMove(moving) ? runKernel(moving, rule) : undefined;
}

/**
 * The same for rules that depend on the number of steps of a weight: one kernel call for all weights with the same
 * number. Weights that were unfrozen at different times have different numbers.
 */
export function updateByCount(
  steps: readonly OptimizerStep[],
  ruleAt: (count: number, own: readonly OptimizerStep[]) => UpdateRule,
): readonly Tensor[] | undefined {
  if (!canMove(steps)) return undefined;
  return tidy(() => {
    const moved = new Map<OptimizerStep, Tensor>();
    for (const count of new Set(steps.map(({ step }) => step))) {
      const own = steps.filter(({ step }) => step === count);
      runKernel(own, ruleAt(count, own)).forEach((weight, place) => {
        const step = own[place];
        if (step !== undefined) moved.set(step, weight);
      });
    }
    return steps.flatMap((step) => moved.get(step) ?? []);
  });
}

function runKernel(moving: readonly Moving[], { rule, numbers, rates }: UpdateRule): readonly Tensor[] {
  const inputs = moving.flatMap(({ weight, gradient, state }) => [weight, gradient, ...state]);
  // tfjs passes a list to the kernel unchanged, as for Concat; its type allows maps only.
  return engine().runKernel<Tensor[]>(kernelName, inputs as unknown as NamedTensorMap, { rule, numbers, rates });
}

function canMove(moving: readonly Moving[]): boolean {
  const kernel: unknown = getKernel(kernelName, getBackend());
  return kernel !== undefined && moving.every(({ weight }) => weight.dtype === 'float32');
}
