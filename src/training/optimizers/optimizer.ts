// The interface of optimizers: a pair of pure functions. The loop keeps the state of each weight under the weight's
// name.
import type { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';

/** One step of one weight. */
export interface OptimizerStep {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  /** State from `init` or the previous step. */
  readonly state: readonly Tensor[];
  readonly learningRate: number;
  /**
   * Number of this step for this weight, from 1: counted since its state was made, as in PyTorch. A weight that is
   * unfrozen late has taken fewer steps than the run.
   */
  readonly step: number;
}

/**
 * An optimizer: computes new weights from gradients. `init` and `update` must neither dispose nor change their
 * arguments.
 */
export interface Optimizer {
  readonly name: string;
  /** Its settings, as plain data: a run can be resumed only with the same ones. */
  readonly settings?: Readonly<Record<string, number | boolean>>;
  readonly defaultLearningRate: number;
  /** State before the first step, such as tensors of zeros; [] for none. The caller owns the tensors. */
  init(weight: Tensor): Tensor[];
  /** The weight and state after a step, as new tensors that the caller owns. */
  update(step: OptimizerStep): { readonly weight: Tensor; readonly state: Tensor[] };
  /**
   * The same for all weights at once, if the backend has a kernel for it: returns the weights after the step as new
   * tensors that the caller owns, and changes the state in place. Without such a kernel it returns undefined and
   * changes nothing.
   */
  updateAll?(steps: readonly OptimizerStep[]): readonly Tensor[] | undefined;
}

/** Raises unless a decay factor is at least 0 and below 1. */
export function assertDecay(name: string, value: number): void {
  if (!(value >= 0 && value < 1)) throw invalidSetting(`${name} at least 0 and below 1`, value);
}

/** Raises unless a number is above 0, or 0 if `orZero` is true. */
export function assertPositive(name: string, value: number, orZero = false): void {
  if (Number.isFinite(value) && (orZero ? value >= 0 : value > 0)) return;
  throw invalidSetting(`${name} ${orZero ? 'from 0' : 'above 0'}`, value);
}

/** The error for an invalid setting. */
export function invalidSetting(expected: string, received: number): TransferKitError {
  const text = `expected ${expected}, got ${String(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
