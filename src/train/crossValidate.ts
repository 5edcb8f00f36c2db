// How well features tell classes apart: logistic regressions on all folds but one, judged on that one.
import { fitLogisticRegression, predictClasses, type LinearModel } from './logisticRegression.ts';

/** Features with their classes, and how to judge them. */
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

/** What came of it. */
export interface Validated {
  /** Mean over the folds of the share of right predictions. */
  readonly accuracy: number;
  /** Standard error of that mean: the folds' standard deviation over the root of their number. */
  readonly standardError: number;
  /** The strength that did best; the strongest of equals. */
  readonly l2: number;
}

/**
 * Loose: the classes that are predicted settle long before the last digits of the loss do. How far a loss is above its
 * minimum goes with the squared gradient over the penalty; the root makes all penalties equally precise.
 */
const precisionFor = (l2: number) => ({ tolerance: 1e-2 * Math.sqrt(l2), maxIterations: 200 });

/**
 * Cross-validates logistic regressions on standardised features, for every strength of the penalty.
 *
 * @param turn - Waits for other work after each fit.
 */
export async function crossValidate(data: Validation, turn: () => Promise<void>): Promise<Validated> {
  // From the strongest: each optimum is a good start for the next.
  const strengths = [...data.l2].sort((a, b) => b - a);
  const accuracies = strengths.map((): number[] => []);
  const folds = Math.max(...data.folds) + 1;
  for (let fold = 0; fold < folds; fold++) {
    const { train, test, units } = splitFold(data, fold);
    let start: LinearModel | undefined;
    for (const [index, l2] of strengths.entries()) {
      start = fitLogisticRegression(train, {
        units,
        l2,
        ...precisionFor(l2),
        ...(start === undefined ? {} : { start }),
      });
      const predicted = predictClasses(start, test.features);
      accuracies[index]?.push(mean(predicted.map((label, row) => Number(label === test.classes[row]))));
      await turn();
    }
  }
  const means = accuracies.map(mean);
  const best = means.indexOf(Math.max(...means));
  return {
    accuracy: means[best] ?? NaN,
    standardError: standardError(accuracies[best] ?? []),
    l2: strengths[best] ?? NaN,
  };
}

/** Both parts of a fold, scaled by what the training part is like. Two classes need one logit only. */
function splitFold({ features, classes, weights, folds }: Validation, fold: number) {
  const width = features.length / classes.length;
  const rows = folds.map((_, row) => row);
  const inside = rows.filter((row) => folds[row] === fold);
  const outside = rows.filter((row) => folds[row] !== fold);
  const scale = scaleOf(features, width, outside);
  const pick = (from: readonly number[], values: readonly number[]) => from.map((row) => values[row] ?? 0);
  const count = Math.max(...classes) + 1;
  return {
    train: {
      features: standardise(features, width, outside, scale),
      classes: pick(outside, classes),
      weights: pick(outside, weights),
    },
    test: { features: standardise(features, width, inside, scale), classes: pick(inside, classes) },
    units: count === 2 ? 1 : count,
  };
}

interface Scale {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

/** Mean and inverse standard deviation of each column over some rows; what does not vary is left at its size. */
function scaleOf(features: Float32Array, width: number, rows: readonly number[]): Scale {
  const mean = new Float64Array(width);
  const factor = new Float64Array(width);
  for (const row of rows) {
    for (let i = 0; i < width; i++) mean[i] = (mean[i] ?? 0) + (features[row * width + i] ?? 0) / rows.length;
  }
  for (const row of rows) {
    for (let i = 0; i < width; i++) {
      factor[i] = (factor[i] ?? 0) + ((features[row * width + i] ?? 0) - (mean[i] ?? 0)) ** 2 / rows.length;
    }
  }
  factor.forEach((variance, i) => {
    const negligible = (1e-6 * (mean[i] ?? 0)) ** 2;
    factor[i] = variance > negligible ? 1 / Math.sqrt(variance) : 1;
  });
  return { mean, factor };
}

function standardise(
  features: Float32Array,
  width: number,
  rows: readonly number[],
  { mean, factor }: Scale,
): Float32Array {
  const scaled = new Float32Array(rows.length * width);
  rows.forEach((row, place) => {
    for (let i = 0; i < width; i++) {
      scaled[place * width + i] = ((features[row * width + i] ?? 0) - (mean[i] ?? 0)) * (factor[i] ?? 1);
    }
  });
  return scaled;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
