// Sums loss and accuracy during an epoch.
import type { HeadPart } from '../model/model.ts';
import { correctOf } from '../losses/headRules.ts';

/** Loss and right decisions, summed over rows. */
interface Tally {
  readonly loss: number;
  readonly correct: number;
  /** Whether all rows could be right or wrong. */
  readonly judged: boolean;
}

/** Sums over the batches and steps of an epoch. */
export interface Sums extends Tally {
  readonly rows: number;
  readonly norms: number;
  readonly steps: number;
  /** Sums of each named head. */
  readonly heads?: readonly Tally[];
}

/** Figures of one batch. */
export interface BatchFigures {
  readonly loss: number;
  readonly logits: Float32Array;
  readonly targets: readonly Float32Array[];
  /** Loss of each named head; [] if there are none. */
  readonly headLosses: ArrayLike<number>;
}

const none: Tally = { loss: 0, correct: 0, judged: true };
const nothing: Sums = { ...none, rows: 0, norms: 0, steps: 0 };

/** Sums of an epoch. */
export class Totals {
  /** The heads with names. */
  private readonly named: readonly HeadPart[];

  /**
   * @param sums - Sums of the finished part of the epoch.
   */
  constructor(
    private readonly parts: readonly HeadPart[],
    public sums: Sums = nothing,
  ) {
    this.named = parts.filter(({ name }) => name !== '');
  }

  add(batch: BatchFigures): void {
    const { sums, named } = this;
    this.sums = {
      ...sums,
      ...tally(sums, this.parts, batch.loss, batch),
      rows: sums.rows + batch.targets.length,
      ...(named.length > 0 && {
        heads: named.map((part, i) => tally(sums.heads?.[i] ?? none, [part], batch.headLosses[i] ?? NaN, batch)),
      }),
    };
  }

  /** Adds the norm of the gradients of a step. */
  addStep(gradientNorm: number): void {
    this.sums = { ...this.sums, norms: this.sums.norms + gradientNorm, steps: this.sums.steps + 1 };
  }

  figures(): MeanFigures & { readonly gradientNorm: number; readonly heads?: Readonly<Record<string, MeanFigures>> } {
    const { norms, steps, rows, heads = [] } = this.sums;
    const byName = this.named.map(({ name }, i) => [name, means(heads[i] ?? none, rows)] as const);
    return {
      ...means(this.sums, rows),
      ...(byName.length > 0 && { heads: Object.fromEntries(byName) }),
      gradientNorm: norms / Math.max(steps, 1),
    };
  }
}

interface MeanFigures {
  readonly loss: number;
  readonly accuracy?: number;
}

function means({ loss, correct, judged }: Tally, count: number): MeanFigures {
  const rows = Math.max(count, 1);
  return { loss: loss / rows, ...(judged ? { accuracy: correct / rows } : {}) };
}

/** Sums with those of a batch, for some of the heads. */
function tally(sums: Tally, parts: readonly HeadPart[], loss: number, { logits, targets }: BatchFigures): Tally {
  const isCorrect = correctOf(parts);
  const width = logits.length / targets.length;
  const correct = targets.map((target, row) => isCorrect(logits.subarray(row * width, (row + 1) * width), target));
  return {
    loss: sums.loss + loss * targets.length,
    correct: correct.reduce<number>((sum, each) => sum + (each ?? 0), sums.correct),
    judged: sums.judged && !correct.includes(undefined),
  };
}
