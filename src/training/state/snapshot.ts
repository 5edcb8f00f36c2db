// Snapshots of weights, to restore them.
import { clone, dispose, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { TrunkWeight } from '../../core/types.ts';

/** Remembered values. */
export interface Snapshot {
  /** The values; the snapshot still owns them. */
  readonly values: ReadonlyMap<TrunkWeight, Tensor>;
  /** Restores the exact values. */
  restore(): void;
  dispose(): void;
}

/** Remembers weights. Clones share their data with the weight until it changes, so this copies nothing. */
export function takeSnapshot(weights: readonly TrunkWeight[]): Snapshot {
  return snapshotOf(new Map(weights.map((weight) => [weight, keep(clone(weight.variable))])));
}

/** Makes a snapshot of given values, which it then owns. */
export function snapshotOf(values: ReadonlyMap<TrunkWeight, Tensor>): Snapshot {
  return {
    values,
    restore: () => {
      // `write` would apply the layer's constraint, which the values may violate, if only by rounding.
      for (const [{ variable }, value] of values) variable.assign(value);
    },
    dispose: () => {
      dispose([...values.values()]);
    },
  };
}
