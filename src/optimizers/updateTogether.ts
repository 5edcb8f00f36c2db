// One step of all weights in one run of a kernel, where the backend has one.
import { engine, getBackend, getKernel, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';

/** A weight, what moves it, and what the optimizer keeps of the steps before. */
interface Moving {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  readonly state: readonly Tensor[];
}

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
export function updateTogether(
  moving: readonly Moving[],
  { rule, numbers, rates }: UpdateRule,
): readonly Tensor[] | undefined {
  if (!hasKernel() || moving.some(({ weight }) => weight.dtype !== 'float32')) return undefined;
  const inputs = moving.flatMap(({ weight, gradient, state }) => [weight, gradient, ...state]);
  // tfjs passes a list on as it is, as it does for Concat; its type knows maps only.
  return engine().runKernel<Tensor[]>(kernelName, inputs as unknown as NamedTensorMap, { rule, numbers, rates });
}

function hasKernel(): boolean {
  const kernel: unknown = getKernel(kernelName, getBackend());
  return kernel !== undefined;
}
