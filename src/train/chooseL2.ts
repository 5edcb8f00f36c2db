// How strong the penalty of a linear head should be: the strength whose models do best on examples that they were not
// fitted to, by their loss. Accuracies tell strengths apart less well: they are steps, and flat where losses still rise.
import type { DesignMatrix } from './designMatrix.ts';
import { fitSideBySide, logitsOf, type FittedModel, type LinearFit, type LinearProblem } from './linearFit.ts';

/** What models of one strength come to. */
export interface Judged {
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

/** Part of its objective that a model may be above the minimum: what is left changes hardly any logit. */
const looseness = 2e-3;
const maxIterations = 200;

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
  return async (l2, [start]) => {
    const models = await fitLoosely(problem, [{ shares, l2, start }]);
    const [logits] = await logitsOf(held.features, models, problem.units);
    return { l2, models, loss: logits === undefined ? NaN : meanLoss(problem, held, () => logits) };
  };
}

/**
 * Judges by cross-validation: each fold by the model that was fitted to the others.
 *
 * @param weights - How much each row counts.
 * @param folds - Number of each row's fold.
 */
export function byFolds(problem: LinearProblem, weights: readonly number[], folds: readonly number[]): Judge {
  const numbers = [...new Set(folds)].sort((a, b) => a - b);
  const shares = numbers.map((fold) => sharesOf(weights.map((weight, row) => (folds[row] === fold ? 0 : weight))));
  const places = folds.map((fold) => numbers.indexOf(fold));
  return async (l2, start) => {
    const fits = shares.map((own, place) => ({ shares: own, l2, start: start[place] }));
    const models = await fitLoosely(problem, fits);
    const logits = await logitsOf(problem.features, models, problem.units);
    const held = { ...problem, weights };
    return { l2, models, loss: meanLoss(problem, held, (row) => logits[places[row] ?? 0] ?? new Float32Array(0)) };
  };
}

/** Weights as shares that sum to 1. */
export function sharesOf(weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from(weights, (weight) => weight / total);
}

interface Continued extends LinearFit {
  readonly start: FittedModel | undefined;
}

function fitLoosely(problem: LinearProblem, fits: readonly Continued[]): Promise<FittedModel[]> {
  const objectives = fits.map(({ start }) => start?.objective ?? 1);
  return fitSideBySide(problem, fits, { gap: looseness * Math.min(...objectives), maxIterations });
}

function meanLoss(
  { loss, units }: LinearProblem,
  { targets, weights }: HeldOut,
  logitsFor: (row: number) => Float32Array,
): number {
  let sum = 0;
  sharesOf(weights).forEach((share, row) => {
    const target = targets[row];
    if (share === 0 || target === undefined) return;
    sum += share * loss(logitsFor(row).slice(row * units, (row + 1) * units), target);
  });
  return sum;
}
