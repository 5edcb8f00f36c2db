// Chooses the strength of a linear head's penalty: the one whose models have the lowest loss on held-out examples. The
// loss is used because accuracy distinguishes strengths less well: it changes in steps, and stays the same while losses
// still rise.
import type { DesignMatrix } from './designMatrix.ts';
import { fitLoosely, inFolds, sharesOf } from './fitValidationFolds.ts';
import { logitsOf, type FittedModel, type LinearProblem } from './linearFit.ts';

/** The models of one strength and their loss. */
interface Judged {
  readonly l2: number;
  /** Mean loss on held-out examples. */
  readonly loss: number;
  /** One model, or one for each fold. */
  readonly models: readonly FittedModel[];
}

/** The best strength. */
export interface Chosen extends Judged {
  /** Number of iterations of all fits together. */
  readonly iterations: number;
  /** Whether the limit of gradients ended the search. */
  readonly isCut: boolean;
}

/** Fits models with a strength, starting from other models, and measures them. */
export type Judge = (l2: number, start: readonly FittedModel[]) => Promise<Judged>;

/** Held-out examples. */
export interface HeldOut {
  readonly features: DesignMatrix;
  readonly targets: readonly Float32Array[];
  /** Weight of each example. */
  readonly weights: readonly number[];
}

/** Strengths are powers of the root of ten: exponents of the weakest, the first and the strongest. */
const weakest = -10;
const first = -2;
const strongest = 6;
/** Maximum number of strengths that are tried. */
export const mostStrengths = strongest - weakest + 1;

/**
 * Finds the best strength: starts at 0.1, and goes in steps of the root of ten in the direction in which the loss
 * falls, until it rises.
 *
 * @param mostGradients - After this many gradients of all fits no further strength is tried, even while losses fall.
 */
export async function chooseL2(judge: Judge, mostGradients = Infinity): Promise<Chosen> {
  let iterations = 0;
  let gradients = 0;
  const judgeAt = async (exponent: number, start: readonly FittedModel[]) => {
    const judged = await judge(Number((10 ** (exponent / 2)).toPrecision(3)), start);
    for (const model of judged.models) iterations += model.iterations;
    // Each fit begins with the gradient at its start.
    for (const model of judged.models) gradients += model.iterations + 1;
    return judged;
  };
  const begun = await judgeAt(first, []);
  let best = begun;
  let isCut = false;
  for (const step of [-1, 1]) {
    for (let exponent = first + step; exponent >= weakest && exponent <= strongest; exponent += step) {
      isCut = best !== begun && gradients >= mostGradients;
      const next = isCut ? best : await judgeAt(exponent, best.models);
      if (!(next.loss < best.loss)) break;
      best = next;
    }
    if (best !== begun) break;
  }
  return { ...best, iterations, isCut };
}

/** Measures models on separate validation examples. */
export function byValidation(problem: LinearProblem, shares: Float64Array, held: HeldOut): Judge {
  const { units } = problem;
  return async (l2, [start]) => {
    const models = await fitLoosely(problem, [{ shares, l2, start }]);
    const [logits = new Float32Array(0)] = await logitsOf(held.features, models, units);
    return { l2, models, loss: meanLoss(problem, held, (row) => logits.subarray(row * units, (row + 1) * units)) };
  };
}

/** Rows of a cross-validation. */
export interface FoldRows {
  /** Weights of the rows in the fits. */
  readonly weights: readonly number[];
  /** Weights of the rows where models are measured. */
  readonly measured: readonly number[];
  readonly folds: readonly number[];
}

/** Measures models by cross-validation: see `inFolds`. */
export function byFolds(problem: LinearProblem, { weights, measured, folds }: FoldRows): Judge {
  const fit = inFolds(problem, weights, folds);
  return async (l2, start) => {
    const { models, logits } = await fit(l2, start);
    return { l2, models, loss: meanLoss(problem, { ...problem, weights: measured }, logits) };
  };
}

/** Mean loss of rows. The logits may be overwritten. */
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
