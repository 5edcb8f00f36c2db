// Exponential moving averages of weights.
import { add, clone, dispose, keep, mul, scalar, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { TrunkWeight } from '../../core/types.ts';
import { takeSnapshot } from './snapshot.ts';

/** The averages of a run, by weight. */
export class Averages {
  private readonly values = new Map<TrunkWeight, Tensor>();

  constructor(private readonly decay: number) {}

  /** Starts averages of further weights at their present values; existing averages continue. */
  follow(weights: readonly TrunkWeight[]): void {
    for (const weight of weights) {
      if (!this.values.has(weight)) this.values.set(weight, keep(clone(weight.variable)));
    }
  }

  /**
   * Updates the averages.
   *
   * @param isFirst - Whether this was the first step of a weight: its average then starts with the weight.
   */
  update(isFirst: (weight: TrunkWeight) => boolean): void {
    for (const [weight, average] of this.values) {
      const share = isFirst(weight) ? 1 : 1 - this.decay;
      const moved = tidy(() =>
        share === 1 ? clone(weight.variable) : add(average, mul(sub(weight.variable, average), scalar(share))),
      );
      dispose(average);
      this.values.set(weight, moved);
    }
  }

  /** Writes the averages into the model. */
  write(): void {
    for (const [weight, average] of this.values) weight.write(average);
  }

  /** Runs a function with the averages in the model, and restores the weights. */
  async during<T>(run: () => T | Promise<T>): Promise<T> {
    const trained = takeSnapshot([...this.values.keys()]);
    try {
      this.write();
      return await run();
    } finally {
      trained.restore();
      trained.dispose();
    }
  }

  /** The averages by weight name; this object still owns them. */
  byName(): ReadonlyMap<string, Tensor> {
    return new Map([...this.values].map(([weight, average]) => [weight.name, average]));
  }

  /** Restores an average of an earlier process. */
  set(weight: TrunkWeight, average: Tensor): void {
    dispose(this.values.get(weight) ?? []);
    this.values.set(weight, average);
  }

  dispose(): void {
    dispose([...this.values.values()]);
    this.values.clear();
  }
}
