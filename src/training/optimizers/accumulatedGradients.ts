// Gradients of several batches as if they were one.
import { add, dispose, mul, scalar, tidy, type Tensor } from '@tensorflow/tfjs-core';

/** Sums gradients, each weighted by the examples of its batch, until somebody takes their mean. */
export class AccumulatedGradients {
  /** Sums of the gradients, in the order in which they came. */
  sums: readonly Tensor[] = [];
  /** Examples and batches since the mean was taken last. */
  examples = 0;
  batches = 0;

  /** Adds the gradients of a batch, which stay the caller's. */
  add(gradients: readonly Tensor[], examples: number): void {
    const sums = gradients.map((gradient, i) => tidy(() => this.plus(mul(gradient, scalar(examples)), i)));
    dispose([...this.sums]);
    this.sums = sums;
    this.examples += examples;
    this.batches++;
  }

  /** Takes over sums that a run had before. */
  restore(
    sums: readonly Tensor[],
    { batches, examples }: { readonly batches: number; readonly examples: number },
  ): void {
    this.dispose();
    this.sums = sums;
    this.batches = batches;
    this.examples = examples;
  }

  /** The mean over all examples, which the caller owns; starts anew. */
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
