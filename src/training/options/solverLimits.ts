// Limits on the work and the memory of solving for a head, in multiplications and numbers. A core multiplies and adds 1e10
// to 2e10 times a second.

/** Rows, values of each row, and units of a problem. */
export interface ProblemSize {
  readonly rows: number;
  readonly width: number;
  readonly units: number;
}

/** Most numbers of all features together: 512 MiB. */
const mostFeatures = 2 ** 27;
/** Most targets, and logits of all rows: 256 MiB. */
const mostTargets = 2 ** 26;
/** Most numbers of one kernel: the minimiser keeps about thirty times as many, of 8 bytes each. */
const mostWeights = 2 ** 21;
/** Most work of one gradient of a model, or of several that are fitted together to choose a penalty. */
const workOfTrial = 2 ** 33;
/** Most work of all gradients to choose a penalty. The first two strengths are always compared. */
const workOfChoice = 2 ** 38;
/** Most work of the final fit. */
const workOfFit = 2 ** 40;
const mostIterations = 1000;
/** Maximum distance of the objective from its minimum at the end; a larger one for heads that allow few iterations. */
const gap = 1e-6;
const looseGap = 1e-5;
const loosely = 100;
/** A head that allows fewer iterations than this is too large. */
const fewestIterations = 10;

/** Whether a problem is small enough to be solved. */
export function isSolvable(size: ProblemSize): boolean {
  const { rows, width, units } = size;
  const fits = rows * width <= mostFeatures && rows * units <= mostTargets && width * units <= mostWeights;
  return fits && workOfGradient(size) * fewestIterations <= workOfFit;
}

/** Precision and limit of the final fit. */
export function precisionOf(size: ProblemSize): { readonly gap: number; readonly maxIterations: number } {
  const within = Math.floor(workOfFit / workOfGradient(size));
  return within < loosely
    ? { gap: looseGap, maxIterations: within }
    : { gap, maxIterations: Math.min(within, mostIterations) };
}

/** Number of gradients, of all fits together, after which no weaker or stronger penalty is tried. */
export function gradientsOfChoice(size: ProblemSize): number {
  return Math.floor(workOfChoice / workOfGradient(size));
}

/** Maximum number of rows to choose a penalty on, with some models side by side. */
export function rowsOfTrial({ width, units }: Omit<ProblemSize, 'rows'>, models: number): number {
  const each = workOfGradient({ rows: models, width, units });
  if (models * width * units > mostWeights) return 0;
  return Math.floor(Math.min(workOfTrial / each, mostFeatures / 2 / width));
}

/** A gradient takes two products of features and weights. */
function workOfGradient({ rows, width, units }: ProblemSize): number {
  return 2 * rows * width * units;
}
