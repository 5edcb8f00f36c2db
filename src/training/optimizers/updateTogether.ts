// One step of all weights in one run of a kernel, where the backend has one.
import { engine, getBackend, getKernel, tidy, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import type { OptimizerStep } from './optimizer.ts';

/** A weight, what moves it, and what the optimizer keeps of the steps before. */
type Moving = Pick<OptimizerStep, 'weight' | 'gradient' | 'state'>;

/** How weights follow gradients, as the kernel wants to know it. */
export interface UpdateRule {
  /**
   * `adam` keeps a mean of gradients and one of their squares; `momentum` and `nesterov` keep a velocity; all are changed in
   * place. `descent` keeps nothing.
   */
  readonly rule: 'adam' | 'descent' | 'momentum' | 'nesterov';
  /**
   * For `adam` the share that the mean keeps and the share that it takes of the gradient, both for the squares, what to
   * divide the squares by, and epsilon; for the others the share of the velocity that is kept.
   */
  readonly numbers: number[];
  /** What to multiply the change of each weight by. */
  readonly rates: number[];
}

const kernelName = 'TransferkitUpdateWeights';

/** The new weights, which the caller owns; undefined where there is no such kernel. */
export function updateTogether(moving: readonly Moving[], rule: UpdateRule): readonly Tensor[] | undefined {
  return canMove(moving) ? runKernel(moving, rule) : undefined;
}

/**
 * The same where the rule depends on how many steps a weight has taken: a run of the kernel for all weights of one count.
 * Weights that were unfrozen at different times differ in it, so there are as many runs as times.
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
  // tfjs passes a list on as it is, as it does for Concat; its type knows maps only.
  return engine().runKernel<Tensor[]>(kernelName, inputs as unknown as NamedTensorMap, { rule, numbers, rates });
}

function canMove(moving: readonly Moving[]): boolean {
  const kernel: unknown = getKernel(kernelName, getBackend());
  return kernel !== undefined && moving.every(({ weight }) => weight.dtype === 'float32');
}
