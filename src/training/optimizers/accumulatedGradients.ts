// Averages gradients of several batches, as if they were one batch.
import { add, dispose, mul, scalar, tidy, type Tensor } from '@tensorflow/tfjs-core';

/** Sums gradients, weighted by the examples of their batches, until `take` returns their mean. */
export class AccumulatedGradients {
  /** Sums of the gradients, in the order of the weights. */
  sums: readonly Tensor[] = [];
  /** Examples and batches since the last `take`. */
  examples = 0;
  batches = 0;

  /** Adds the gradients of a batch; the caller still owns them. */
  add(gradients: readonly Tensor[], examples: number): void {
    const sums = gradients.map((gradient, i) => tidy(() => this.plus(mul(gradient, scalar(examples)), i)));
    dispose([...this.sums]);
    this.sums = sums;
    this.examples += examples;
    this.batches++;
  }

  /** Restores the sums of an earlier process. */
  restore(
    sums: readonly Tensor[],
    { batches, examples }: { readonly batches: number; readonly examples: number },
  ): void {
    this.dispose();
    this.sums = sums;
    this.batches = batches;
    this.examples = examples;
  }

  /** The mean over all examples, which the caller owns. Resets the sums. */
  take(): Tensor[] {
    const means = this.sums.map((sum) => tidy(() => mul(sum, scalar(1 / this.examples))));
    this.dispose();
    return means;
  }

  dispose(): void {
    dispose([...this.sums]);
    this.sums = [];
    this.examples = 0;
    this.batches = 0;
  }

  private plus(gradient: Tensor, place: number): Tensor {
    const sum = this.sums[place];
    return sum === undefined ? gradient : add(sum, gradient);
  }
}
