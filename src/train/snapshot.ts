// Values of weights at one moment, to go back to.
import { clone, dispose, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { TrunkWeight } from '../core/types.ts';

/** Remembered values. */
export interface Snapshot {
  /** Writes the values back. */
  restore(): void;
  dispose(): void;
}

/** Remembers weights. Clones share their data with the weight until it changes, so this copies nothing. */
export function takeSnapshot(weights: readonly TrunkWeight[]): Snapshot {
  const values: readonly (readonly [TrunkWeight, Tensor])[] = weights.map((weight) => [
    weight,
    keep(clone(weight.variable)),
  ]);
  return {
    restore: () => {
      for (const [weight, value] of values) weight.write(value);
    },
    dispose: () => {
      dispose(values.map(([, value]) => value));
    },
  };
}
