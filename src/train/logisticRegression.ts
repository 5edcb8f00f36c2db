// Logistic regression with an L2 penalty, of one class of several or of two, fitted to its one optimum by L-BFGS.
import { minimise } from './lbfgs.ts';
import { addGradient, addLogits } from './matrixProducts.ts';

/** What to fit. */
export interface LabelledFeatures {
  /** [n, width] */
  readonly features: Float32Array;
  /** Index of each example's class. */
  readonly classes: readonly number[];
  /** How much each example counts. Default 1 each. */
  readonly weights?: readonly number[];
}

/** How to fit. */
export interface LogisticRegressionOptions {
  /**
   * Logits: one for each class (softmax), or 1 for two classes (sigmoid; class 1 is the one that the logit speaks for).
   */
  readonly units: number;
  /**
   * Strength of the penalty `l2 / 2 * sum of squared coefficients` on the mean loss, from 0; intercepts are free. It is
   * scikit-learn's `1 / (C n)`.
   */
  readonly l2: number;
  /** Ends when no part of the gradient of loss and penalty is larger. Default 1e-6. */
  readonly tolerance?: number;
  /** Default 500. */
  readonly maxIterations?: number;
  /** Where to start: a model of the same size fitted with another penalty. Default 0. */
  readonly start?: LinearModel;
}

/** A linear map from features to logits. */
export interface LinearModel {
  readonly units: number;
  /** [units, width] */
  readonly coefficients: Float64Array;
  /** [units] */
  readonly intercepts: Float64Array;
}

/** A fitted model. */
export interface LogisticRegression extends LinearModel {
  /** Mean loss and penalty at the end. */
  readonly loss: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Fits a logistic regression. The result is the same for every order of the labels and, up to the tolerance, every start. */
export function fitLogisticRegression(
  data: LabelledFeatures,
  { units, l2, tolerance = 1e-6, maxIterations = 500, start }: LogisticRegressionOptions,
): LogisticRegression {
  const { features, classes } = data;
  const size = units * (features.length / classes.length);
  const from = new Float64Array(size + units);
  if (start !== undefined) {
    from.set(start.coefficients);
    from.set(start.intercepts, size);
  }
  const found = minimise(objectiveOf(data, units, l2), from, { tolerance, maxIterations });
  return {
    units,
    coefficients: found.point.slice(0, size),
    intercepts: found.point.slice(size),
    loss: found.value,
    iterations: found.iterations,
    converged: found.converged,
  };
}

/** Logits [n, units] of features [n, width]. */
export function linearLogits({ units, coefficients, intercepts }: LinearModel, features: Float32Array): Float64Array {
  const rows = features.length / (coefficients.length / units);
  const logits = Float64Array.from({ length: rows * units }, (_, i) => intercepts[i % units] ?? 0);
  addLogits(logits, features, coefficients, units);
  return logits;
}

/** The most probable class of each row of features [n, width]; the first of equals. */
export function predictClasses(model: LinearModel, features: Float32Array): number[] {
  const { units } = model;
  const logits = linearLogits(model, features);
  return Array.from({ length: logits.length / units }, (_, row) => {
    const own = logits.subarray(row * units, (row + 1) * units);
    return units === 1 ? Number((own[0] ?? 0) > 0) : own.indexOf(Math.max(...own));
  });
}

/** Mean loss and penalty as a function of coefficients and intercepts in one array. */
function objectiveOf({ features, classes, weights }: LabelledFeatures, units: number, l2: number) {
  const size = units * (features.length / classes.length);
  const total = weights === undefined ? classes.length : weights.reduce((sum, weight) => sum + weight, 0);
  const shares = classes.map((_, row) => (weights?.[row] ?? 1) / total);
  return (point: Float64Array, gradient: Float64Array): number => {
    const coefficients = point.subarray(0, size);
    const logits = linearLogits({ units, coefficients, intercepts: point.subarray(size) }, features);
    const losses = units === 1 ? toBinaryResiduals(logits, classes) : toResiduals(logits, classes, units);
    let value = 0;
    losses.forEach((loss, row) => {
      const share = shares[row] ?? 0;
      value += share * loss;
      for (let i = row * units; i < (row + 1) * units; i++) {
        logits[i] = (logits[i] ?? 0) * share;
        gradient[size + (i % units)] = (gradient[size + (i % units)] ?? 0) + (logits[i] ?? 0);
      }
    });
    let squares = 0;
    coefficients.forEach((coefficient, i) => {
      squares += coefficient * coefficient;
      gradient[i] = l2 * coefficient;
    });
    addGradient(gradient.subarray(0, size), logits, features, units);
    return value + (l2 / 2) * squares;
  };
}

/** Turns logits into probabilities minus targets, in place; gives the loss of each row. */
function toResiduals(logits: Float64Array, classes: readonly number[], units: number): Float64Array {
  return Float64Array.from(classes, (label, row) => {
    const own = logits.subarray(row * units, (row + 1) * units);
    const target = own[label] ?? 0;
    let most = -Infinity;
    for (const logit of own) most = Math.max(most, logit);
    let sum = 0;
    own.forEach((logit, i) => {
      own[i] = Math.exp(logit - most);
      sum += own[i] ?? 0;
    });
    own.forEach((part, i) => {
      own[i] = part / sum - Number(i === label);
    });
    return most + Math.log(sum) - target;
  });
}

/** The same for one logit that speaks for class 1. */
function toBinaryResiduals(logits: Float64Array, classes: readonly number[]): Float64Array {
  return Float64Array.from(classes, (label, row) => {
    const logit = logits[row] ?? 0;
    const small = Math.exp(-Math.abs(logit));
    logits[row] = (logit >= 0 ? 1 / (1 + small) : small / (1 + small)) - label;
    return Math.max(logit, 0) - label * logit + Math.log1p(small);
  });
}
