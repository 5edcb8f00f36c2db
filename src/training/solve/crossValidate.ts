// Measures how well features separate classes: logistic regressions are fitted to all folds but one, and measured on
// that one.
import { at } from '../../core/at.ts';
import { DesignMatrix } from './designMatrix.ts';
import { inFolds, sharesOf, type FoldFits } from './fitValidationFolds.ts';
import type { FittedModel, LinearProblem } from './linearFit.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { applyScale, featureScaleOf } from './standardise.ts';

/** Features with their classes, and the settings of the measurement. */
export interface Validation {
  /** [n, width] */
  readonly features: Float32Array;
  /** Index of each example's class. */
  readonly classes: readonly number[];
  readonly weights: readonly number[];
  /** Number of each example's fold. */
  readonly folds: readonly number[];
  /** Strengths of the penalty to choose from, above 0. */
  readonly l2: readonly number[];
}

/** Result of a cross-validation. */
export interface Validated {
  /** Mean over the folds of the share of right predictions. */
  readonly accuracy: number;
  /** Standard error of that mean: the folds' standard deviation over the root of their number. */
  readonly standardError: number;
  /** The best strength; the strongest of equals. */
  readonly l2: number;
}

/** Callbacks during a cross-validation. */
export interface Waiting {
  /** Called regularly, and awaited. */
  readonly rest: () => Promise<void>;
  /** Called when all folds are fitted with a strength, and awaited. */
  readonly onFitted: () => Promise<void>;
}

/** Cross-validates logistic regressions on standardised features, for every strength of the penalty. */
export async function crossValidate(data: Validation, { rest, onFitted }: Waiting): Promise<Validated> {
  const { classes, weights, folds } = data;
  const count = Math.max(...classes) + 1;
  // Two classes need a single logit.
  const task = count === 2 ? tasks.binary : tasks.classes;
  const units = task.units(count);
  const targets = classes.map((label) => {
    return Float32Array.from({ length: units }, (_, unit) => Number(units === 1 ? label === 1 : label === unit));
  });
  // Starts with the strongest: each optimum is a good start for the next fit.
  const strengths = [...data.l2].sort((a, b) => b - a);
  const { features, rounding } = await standardised(data, units, rest);
  try {
    const problem: LinearProblem = { features, targets, units, loss: task.rowLoss, rounding };
    const fit = inFolds(problem, weights, folds);
    const judged: number[][] = [];
    let start: readonly FittedModel[] = [];
    for (const l2 of strengths) {
      const fitted: FoldFits = await fit(l2, start);
      start = fitted.models;
      const correct = targets.map((target, row) => task.correct(fitted.logits(row), target));
      judged.push(meansOf(correct, folds));
      await onFitted();
    }
    const means = judged.map(mean);
    const best = means.indexOf(Math.max(...means));
    return {
      accuracy: at(means, best),
      standardError: standardError(at(judged, best)),
      l2: at(strengths, best),
    };
  } finally {
    features.dispose();
  }
}

async function standardised(
  { features, classes, weights, folds }: Validation,
  units: number,
  rest: () => Promise<void>,
): Promise<Required<Pick<LinearProblem, 'features' | 'rounding'>>> {
  const width = features.length / classes.length;
  const values = features.slice();
  const scale = await featureScaleOf(values, width, sharesOf(weights), rest);
  await applyScale(values, scale, rest);
  const columns = units * new Set(folds).size;
  return { features: DesignMatrix.of(values, width, { columns, rest }), rounding: scale.rounding };
}

/** Mean of each fold. */
function meansOf(values: readonly number[], folds: readonly number[]): number[] {
  return [...new Set(folds)].map((fold) => mean(values.filter((_, row) => folds[row] === fold)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
