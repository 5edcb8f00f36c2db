// Loss and accuracy of an epoch while it runs.
import type { TaskRules } from './taskRules.ts';

/** Sums of an epoch. */
export class Totals {
  private loss = 0;
  private correct = 0;
  private rows = 0;
  private judged = true;
  private norms = 0;
  private steps = 0;

  constructor(private readonly rules: TaskRules) {}

  add(loss: number, logits: Float32Array, targets: readonly Float32Array[]): void {
    this.loss += loss * targets.length;
    this.rows += targets.length;
    const width = logits.length / targets.length;
    targets.forEach((target, row) => {
      const correct = this.rules.correct(logits.subarray(row * width, (row + 1) * width), target);
      if (correct === undefined) this.judged = false;
      this.correct += correct ?? 0;
    });
  }

  /** Adds the norm of the gradients of a step. */
  addStep(gradientNorm: number): void {
    this.norms += gradientNorm;
    this.steps++;
  }

  figures(): { loss: number; accuracy?: number; gradientNorm: number } {
    const rows = Math.max(this.rows, 1);
    const gradientNorm = this.norms / Math.max(this.steps, 1);
    return { loss: this.loss / rows, ...(this.judged ? { accuracy: this.correct / rows } : {}), gradientNorm };
  }
}
