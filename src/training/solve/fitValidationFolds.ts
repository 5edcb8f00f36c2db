// Fits linear models to all rows, or to all folds but one, just precisely enough to compare penalties or features.
import { fitSideBySide, logitsOf, type FittedModel, type LinearFit, type LinearProblem } from './linearFit.ts';

/** A fit that starts from a model with another penalty. */
interface Continued extends LinearFit {
  readonly start: FittedModel | undefined;
}

/**
 * Maximum distance of a model's objective from the minimum, relative to it. A smaller distance hardly changes the
 * logits.
 */
const looseness = 2e-3;
const maxIterations = 200;

/** Fits models as precisely as comparisons need. */
export function fitLoosely(problem: LinearProblem, fits: readonly Continued[]): Promise<FittedModel[]> {
  const objectives = fits.map(({ start }) => start?.objective ?? 1);
  return fitSideBySide(problem, fits, { gap: looseness * Math.min(...objectives), maxIterations });
}

/** Models of a cross-validation. */
export interface FoldFits {
  /** One for each fold, fitted to the other folds. */
  readonly models: readonly FittedModel[];
  /** Logits [units] of a row, from the model that was not fitted to it. The caller owns the array. */
  readonly logits: (row: number) => Float32Array;
}

/**
 * Makes a function that fits models with a penalty, each to all folds but one.
 *
 * @param weights - Weight of each row.
 * @param folds - Fold of each row.
 */
export function inFolds(
  problem: LinearProblem,
  weights: readonly number[],
  folds: readonly number[],
): (l2: number, start: readonly FittedModel[]) => Promise<FoldFits> {
  const { features, units } = problem;
  const numbers = [...new Set(folds)].sort((a, b) => a - b);
  const shares = numbers.map((fold) => sharesOf(weights.map((weight, row) => (folds[row] === fold ? 0 : weight))));
  const places = folds.map((fold) => numbers.indexOf(fold));
  return async (l2, start) => {
    const models = await fitLoosely(
      problem,
      shares.map((own, place) => ({ shares: own, l2, start: start[place] })),
    );
    const logits = await logitsOf(features, models, units);
    return {
      models,
      logits: (row) => logits[places[row] ?? 0]?.slice(row * units, (row + 1) * units) ?? new Float32Array(units),
    };
  };
}

/** Weights as shares that sum to 1. */
export function sharesOf(weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from(weights, (weight) => weight / total);
}
