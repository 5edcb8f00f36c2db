// Fits linear models by L-BFGS, several at once: their matrix products with the features are joined into one.
import type { DesignMatrix } from './designMatrix.ts';
import { minimisation, type Minimum } from './lbfgs.ts';
import type { Evaluation, Search } from './lineSearch.ts';
import type { RowLoss } from '../../model/tasks/rowLosses.ts';
import { norm } from './vectors.ts';

/** Features and targets of linear models. */
export interface LinearProblem {
  readonly features: DesignMatrix;
  /** Targets of all units for each row of the features. */
  readonly targets: readonly Float32Array[];
  readonly units: number;
  readonly loss: RowLoss;
  /** Added to the strength of the penalty, for the weights of each column. Default 0. */
  readonly rounding?: Float64Array | undefined;
}

/** A linear map from features to logits. */
export interface LinearModel {
  /** [width, units] */
  readonly kernel: Float64Array;
  /** [units] */
  readonly bias: Float64Array;
}

/** One model to fit. */
export interface LinearFit {
  /** Share of each row in the mean loss; they sum to 1. */
  readonly shares: Float64Array;
  /**
   * Strength of the penalty, above 0: `l2 / 2` times the squared kernel is added to the mean loss. The bias has no
   * penalty.
   */
  readonly l2: number;
  /** Initial model, fitted with another penalty. Default: zeros. */
  readonly start?: LinearModel | undefined;
}

/** A fitted model. */
export interface FittedModel extends LinearModel {
  /** Mean loss and penalty. */
  readonly objective: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Precision of a fit. */
export interface Precision {
  /** Maximum distance of the objective from its minimum at the end, as bounded by the gradient and strong convexity. */
  readonly gap: number;
  readonly maxIterations: number;
}

/** Relative error of a mean loss whose products are computed in single precision. */
const noise = 1e-7;

/** An unfinished fit. */
interface Open {
  readonly fit: LinearFit;
  readonly search: Search<Minimum>;
  readonly place: number;
  readonly point: Float64Array;
}

/** Fits models. */
export async function fitSideBySide(
  problem: LinearProblem,
  fits: readonly LinearFit[],
  { gap, maxIterations }: Precision,
): Promise<FittedModel[]> {
  const size = problem.features.width * problem.units;
  const fitted: FittedModel[] = [];
  const go = (started: Omit<Open, 'point'>, next: IteratorResult<Float64Array, Minimum>): Open[] => {
    if (next.done !== true) return [{ ...started, point: next.value }];
    const { point, value, iterations, converged } = next.value;
    fitted[started.place] = { ...modelAt(point, size), objective: value, iterations, converged };
    return [];
  };
  let open = fits.flatMap((fit, place) => {
    const from = new Float64Array(size + problem.units);
    from.set(fit.start?.kernel ?? []);
    from.set(fit.start?.bias ?? [], size);
    // Where the curvature is at least l2, the objective is at most |gradient|² / (2 l2) above its minimum.
    const tolerance = Math.sqrt(2 * fit.l2 * gap);
    const search = minimisation(from, { tolerance, sizeOf: norm, maxIterations, noise });
    return go({ fit, search, place }, search.next());
  });
  while (open.length > 0) {
    const evaluations = await evaluate(problem, open);
    open = open.flatMap((each, place) => {
      const evaluation = evaluations[place];
      return evaluation === undefined ? [] : go(each, each.search.next(evaluation));
    });
  }
  return fitted;
}

/** Logits [rows, units] of each model. */
export async function logitsOf(
  features: DesignMatrix,
  models: readonly LinearModel[],
  units: number,
): Promise<Float32Array[]> {
  const together = await features.logits(joinKernels(models, features.width, units), models.length * units);
  return models.map(({ bias }, model) => {
    const logits = new Float32Array(features.rows * units);
    for (let row = 0; row < features.rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        const value = together[(row * models.length + model) * units + unit] ?? 0;
        logits[row * units + unit] = value + (bias[unit] ?? 0);
      }
    }
    return logits;
  });
}

function modelAt(point: Float64Array, size: number): LinearModel {
  return { kernel: point.subarray(0, size), bias: point.subarray(size) };
}

/** Joins kernels [width, units] into one, [width, models * units]. */
function joinKernels(models: readonly LinearModel[], width: number, units: number): Float32Array {
  const [only] = models;
  if (only !== undefined && models.length === 1) return new Float32Array(only.kernel);
  const joined = new Float32Array(width * models.length * units);
  models.forEach(({ kernel }, model) => {
    for (let i = 0; i < width; i++) {
      const at = (i * models.length + model) * units;
      for (let unit = 0; unit < units; unit++) joined[at + unit] = kernel[i * units + unit] ?? 0;
    }
  });
  return joined;
}

/** Objectives and gradients of all unfinished fits, at the present point of each. */
async function evaluate(problem: LinearProblem, open: readonly Open[]): Promise<Evaluation[]> {
  const { features, units } = problem;
  const size = features.width * units;
  const columns = open.length * units;
  const fits = open.map(({ point, fit }, place) => {
    const model = modelAt(point, size);
    return { ...fit, model, gradient: new Float64Array(size + units), from: place * units, losses: [] as number[] };
  });
  const models = fits.map(({ model }) => model);
  await features.gradient(joinKernels(models, features.width, units), columns, {
    differentiate(logits, first) {
      for (const { model, shares, from, gradient, losses } of fits) {
        const own = { logits, first, from, columns };
        losses.push(differentiate(problem, shares, model.bias, own, gradient.subarray(size)));
      }
    },
    add(part) {
      for (const { gradient, from } of fits) addColumns(gradient, part, { units, from, columns });
    },
  });
  return fits.map(({ model, gradient, losses, l2 }) => {
    const penalty = penalise(problem, model.kernel, gradient, l2);
    return { value: losses.reduce((sum, loss) => sum + loss, penalty), gradient };
  });
}

/** Adds some columns of a matrix [rows, columns] to one of their own, [rows, units]. */
function addColumns(
  target: Float64Array,
  matrix: Float32Array,
  { units, from, columns }: { readonly units: number; readonly from: number; readonly columns: number },
): void {
  for (let row = 0, at = 0; row < matrix.length; row += columns) {
    for (let i = row + from; i < row + from + units; i++, at++) target[at] = (target[at] ?? 0) + (matrix[i] ?? 0);
  }
}

/** Adds the gradient of the penalty, and returns its value. */
function penalise(
  { rounding, units }: LinearProblem,
  kernel: Float64Array,
  gradient: Float64Array,
  l2: number,
): number {
  let penalty = 0;
  for (let column = 0, at = 0; at < kernel.length; column++) {
    const strength = l2 + (rounding?.[column] ?? 0);
    for (let unit = 0; unit < units; unit++, at++) {
      const weight = kernel[at] ?? 0;
      gradient[at] = (gradient[at] ?? 0) + strength * weight;
      penalty += (strength / 2) * weight * weight;
    }
  }
  return penalty;
}

/** Some columns of the logits of some rows. */
interface Columns {
  readonly logits: Float32Array;
  readonly first: number;
  readonly from: number;
  readonly columns: number;
}

/**
 * Overwrites the logits of one model with gradients, adds those for the bias, and returns these rows' part of the mean
 * loss.
 */
function differentiate(
  { targets, units, loss }: LinearProblem,
  shares: Float64Array,
  bias: Float64Array,
  { logits, first, from, columns }: Columns,
  biasGradient: Float64Array,
): number {
  let value = 0;
  for (let row = 0; row < logits.length / columns; row++) {
    const share = shares[first + row] ?? 0;
    const own = logits.subarray(row * columns + from, row * columns + from + units);
    const target = targets[first + row];
    if (share === 0 || target === undefined) {
      own.fill(0);
      continue;
    }
    for (let unit = 0; unit < units; unit++) own[unit] = (own[unit] ?? 0) + (bias[unit] ?? 0);
    value += share * loss(own, target);
    for (let unit = 0; unit < units; unit++) {
      own[unit] = (own[unit] ?? 0) * share;
      biasGradient[unit] = (biasGradient[unit] ?? 0) + (own[unit] ?? 0);
    }
  }
  return value;
}
