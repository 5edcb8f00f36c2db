// Loss and accuracy of an epoch while it runs.
import type { TaskRules } from './taskRules.ts';

/** What is summed over the batches and steps of an epoch. */
export interface Sums {
  readonly loss: number;
  readonly correct: number;
  readonly rows: number;
  /** Whether all rows could be right or wrong. */
  readonly judged: boolean;
  readonly norms: number;
  readonly steps: number;
}

const nothing: Sums = { loss: 0, correct: 0, rows: 0, judged: true, norms: 0, steps: 0 };

/** Sums of an epoch. */
export class Totals {
  /**
   * @param sums - Of the part of the epoch that is done.
   */
  constructor(
    private readonly correct: TaskRules['correct'],
    public sums: Sums = nothing,
  ) {}

  add(loss: number, logits: Float32Array, targets: readonly Float32Array[]): void {
    const width = logits.length / targets.length;
    const correct = targets.map((target, row) => this.correct(logits.subarray(row * width, (row + 1) * width), target));
    const { sums } = this;
    this.sums = {
      ...sums,
      loss: sums.loss + loss * targets.length,
      rows: sums.rows + targets.length,
      correct: correct.reduce<number>((sum, each) => sum + (each ?? 0), sums.correct),
      judged: sums.judged && !correct.includes(undefined),
    };
  }

  /** Adds the norm of the gradients of a step. */
  addStep(gradientNorm: number): void {
    this.sums = { ...this.sums, norms: this.sums.norms + gradientNorm, steps: this.sums.steps + 1 };
  }

  figures(): { loss: number; accuracy?: number; gradientNorm: number } {
    const { loss, correct, judged, norms } = this.sums;
    const rows = Math.max(this.sums.rows, 1);
    const gradientNorm = norms / Math.max(this.sums.steps, 1);
    return { loss: loss / rows, ...(judged ? { accuracy: correct / rows } : {}), gradientNorm };
  }
}
