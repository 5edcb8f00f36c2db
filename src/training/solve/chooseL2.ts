// How strong the penalty of a linear head should be: the strength whose models do best on examples that they were not
// fitted to, by their loss. Accuracies tell strengths apart less well: they are steps, and flat where losses still rise.
import type { DesignMatrix } from './designMatrix.ts';
import { fitLoosely, inFolds, sharesOf } from './fitValidationFolds.ts';
import { logitsOf, type FittedModel, type LinearProblem } from './linearFit.ts';

/** What models of one strength come to. */
interface Judged {
  readonly l2: number;
  /** Mean loss on held-out examples. */
  readonly loss: number;
  /** One, or one for each fold. */
  readonly models: readonly FittedModel[];
}

/** The strength that was judged best. */
export interface Chosen extends Judged {
  /** Steps of all fits together. */
  readonly iterations: number;
}

/** Fits models of a strength, beginning with others, and judges them. */
export type Judge = (l2: number, start: readonly FittedModel[]) => Promise<Judged>;

/** Held-out examples. */
export interface HeldOut {
  readonly features: DesignMatrix;
  readonly targets: readonly Float32Array[];
  /** How much each counts. */
  readonly weights: readonly number[];
}

/** Strengths are powers of the root of ten: exponents of the weakest, the first and the strongest. */
const weakest = -10;
const first = -2;
const strongest = 6;
/** Strengths that may come to be tried. */
export const mostStrengths = strongest - weakest + 1;

/**
 * The strength that is judged best: one step of the root of ten after the other from 0.1 on, in the direction in which
 * the loss falls, for as long as it does.
 */
export async function chooseL2(judge: Judge): Promise<Chosen> {
  let iterations = 0;
  const judgeAt = async (exponent: number, start: readonly FittedModel[]) => {
    const judged = await judge(Number((10 ** (exponent / 2)).toPrecision(3)), start);
    for (const model of judged.models) iterations += model.iterations;
    return judged;
  };
  const begun = await judgeAt(first, []);
  let best = begun;
  for (const step of [-1, 1]) {
    for (let exponent = first + step; exponent >= weakest && exponent <= strongest; exponent += step) {
      const next = await judgeAt(exponent, best.models);
      if (!(next.loss < best.loss)) break;
      best = next;
    }
    if (best !== begun) break;
  }
  return { ...best, iterations };
}

/** Judges by examples of their own. */
export function byValidation(problem: LinearProblem, shares: Float64Array, held: HeldOut): Judge {
  const { units } = problem;
  return async (l2, [start]) => {
    const models = await fitLoosely(problem, [{ shares, l2, start }]);
    const [logits = new Float32Array(0)] = await logitsOf(held.features, models, units);
    return { l2, models, loss: meanLoss(problem, held, (row) => logits.subarray(row * units, (row + 1) * units)) };
  };
}

/** Judges by cross-validation: see `inFolds`. */
export function byFolds(problem: LinearProblem, weights: readonly number[], folds: readonly number[]): Judge {
  const fit = inFolds(problem, weights, folds);
  return async (l2, start) => {
    const { models, logits } = await fit(l2, start);
    return { l2, models, loss: meanLoss(problem, { ...problem, weights }, logits) };
  };
}

/** Mean loss of rows by logits that may be written over. */
function meanLoss(
  { loss }: LinearProblem,
  { targets, weights }: HeldOut,
  logits: (row: number) => Float32Array,
): number {
  let sum = 0;
  sharesOf(weights).forEach((share, row) => {
    const target = targets[row];
    if (share !== 0 && target !== undefined) sum += share * loss(logits(row), target);
  });
  return sum;
}
