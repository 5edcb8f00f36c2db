// What an optimizer is: a pair of pure functions. State belongs to one weight and is kept by the loop under the weight's name.
import type { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';

/** One step of one weight. */
export interface OptimizerStep {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  /** What `init` or the step before gave. */
  readonly state: readonly Tensor[];
  readonly learningRate: number;
  /**
   * Steps of this weight with this one, from 1: counted from when its state was made, as PyTorch does. A weight that is unfrozen
   * late has taken fewer than the run.
   */
  readonly step: number;
}

/** How weights follow gradients. `init` and `update` neither dispose nor change what they are given. */
export interface Optimizer {
  readonly name: string;
  /** What it was made with, as plain data: a run is resumed with the same only. */
  readonly settings?: Readonly<Record<string, number | boolean>>;
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

/** Raises unless a share that is kept is at least 0 and below 1. */
export function assertDecay(optimizer: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1)) throw invalidSetting(optimizer, `${name} at least 0 and below 1`, value);
}

/** Raises unless a number is above 0, or from 0 on where that may be. */
export function assertPositive(optimizer: string, name: string, value: number, orZero = false): void {
  if (Number.isFinite(value) && (orZero ? value >= 0 : value > 0)) return;
  throw invalidSetting(optimizer, `${name} ${orZero ? 'from 0' : 'above 0'}`, value);
}

/** The error about a setting. */
export function invalidSetting(optimizer: string, expected: string, received: number): TransferKitError {
  const text = `${optimizer}: expected ${expected}, got ${String(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
