// Values of weights at one moment, to go back to.
import { clone, dispose, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { TrunkWeight } from '../../core/types.ts';

/** Remembered values. */
export interface Snapshot {
  /** They stay the snapshot's. */
  readonly values: ReadonlyMap<TrunkWeight, Tensor>;
  /** Puts the very values back. */
  restore(): void;
  dispose(): void;
}

/** Remembers weights. Clones share their data with the weight until it changes, so this copies nothing. */
export function takeSnapshot(weights: readonly TrunkWeight[]): Snapshot {
  return snapshotOf(new Map(weights.map((weight) => [weight, keep(clone(weight.variable))])));
}

/** Takes values over. */
export function snapshotOf(values: ReadonlyMap<TrunkWeight, Tensor>): Snapshot {
  return {
    values,
    restore: () => {
      // `write` would apply a layer's constraint, which the values may not meet, or meet but for rounding.
      for (const [{ variable }, value] of values) variable.assign(value);
    },
    dispose: () => {
      dispose([...values.values()]);
    },
  };
}
