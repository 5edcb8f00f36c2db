// Limited-memory BFGS: minimises a smooth function of many numbers from its values and gradients. Pure, no tensors.
// J. Nocedal, S. J. Wright: Numerical Optimization, 2nd edition (2006): direction by algorithm 7.4 (two-loop
// recursion), steps by algorithms 3.5 and 3.6 (strong Wolfe conditions).
import { searchLine, type Evaluation, type Search, type State } from './lineSearch.ts';
import { addScaled, difference, dot, largest, scaleBy } from './vectors.ts';

/** Returns the value at a point, and writes the gradient there into the second array. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

/** Criteria for stopping, and the number of remembered steps. */
export interface MinimiseOptions {
  /** Ends when the gradient is no larger than this. Default 1e-6. */
  readonly tolerance?: number;
  /** Size of a gradient. Default: its largest absolute component. */
  readonly sizeOf?: (gradient: Float64Array) => number;
  /** Maximum number of iterations. Default 500. */
  readonly maxIterations?: number;
  /** Number of previous steps that determine the next direction. Default 10. */
  readonly memory?: number;
  /** Relative error of the values. Default: that of double precision. */
  readonly noise?: number;
}

/** The end of a minimisation. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  /** Size of the gradient at the point. */
  readonly slope: number;
  readonly iterations: number;
  /** False if `maxIterations` ended it. */
  readonly converged: boolean;
}

/** A step, and the change of the gradient along it. */
interface Correction {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** Minimises a function. See `minimisation`. */
export function minimise(objective: Objective, start: Float64Array, options?: MinimiseOptions): Minimum {
  const search = minimisation(start, options);
  let next = search.next();
  while (next.done !== true) next = search.next(evaluate(objective, next.value));
  return next.value;
}

function evaluate(objective: Objective, point: Float64Array): Evaluation {
  const gradient = new Float64Array(point.length);
  return { value: objective(point, gradient), gradient };
}

/**
 * Minimises a function that the caller evaluates: yields points, and must be resumed with their evaluations. It then
 * owns their gradients.
 *
 * Ends at the tolerance, or if the line search finds no lower value: a further decrease would be smaller than the
 * rounding.
 */
export function* minimisation(
  start: Float64Array,
  {
    tolerance = 1e-6,
    sizeOf = largest,
    maxIterations = 500,
    memory = 10,
    noise = 16 * Number.EPSILON,
  }: MinimiseOptions = {},
): Search<Minimum> {
  const point = start.slice();
  let state: State = { ...(yield point), point };
  let corrections: readonly Correction[] = [];
  let iterations = 0;
  let stuck = false;
  while (!stuck && sizeOf(state.gradient) > tolerance && iterations < maxIterations) {
    const found = yield* advance(state, corrections, noise);
    if (found === undefined) {
      // The corrections may be outdated: tries once more along the plain gradient.
      stuck = corrections.length === 0;
      corrections = [];
      continue;
    }
    iterations++;
    corrections = remember(corrections, state, found, memory);
    stuck = state.value - found.value <= noise * Math.abs(state.value);
    state = found;
  }
  const slope = sizeOf(state.gradient);
  return { point: state.point, value: state.value, slope, iterations, converged: stuck || slope <= tolerance };
}

function* advance(state: State, corrections: readonly Correction[], noise: number): Search<State | undefined> {
  const direction = descend(state.gradient, corrections);
  const slope = dot(direction, state.gradient);
  if (!(slope < 0)) return undefined;
  const first = corrections.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
  return yield* searchLine({ start: state, direction, slope, first, noise });
}

/** Minus the gradient times the inverse Hessian that the corrections describe (algorithm 7.4). */
function descend(gradient: Float64Array, corrections: readonly Correction[]): Float64Array {
  const direction = new Float64Array(gradient.length);
  addScaled(direction, gradient, -1);
  const factors: number[] = [];
  for (const { step, change, curvature } of [...corrections].reverse()) {
    const factor = dot(step, direction) / curvature;
    factors.push(factor);
    addScaled(direction, change, -factor);
  }
  const last = corrections.at(-1);
  if (last !== undefined) {
    scaleBy(direction, last.curvature / dot(last.change, last.change));
  }
  for (const { step, change, curvature } of corrections) {
    addScaled(direction, step, (factors.pop() ?? 0) - dot(change, direction) / curvature);
  }
  return direction;
}

function remember(corrections: readonly Correction[], from: State, to: State, memory: number): readonly Correction[] {
  const step = difference(to.point, from.point);
  const change = difference(to.gradient, from.gradient);
  const curvature = dot(step, change);
  if (!(curvature > Number.EPSILON * dot(change, change))) return corrections;
  return [...corrections, { step, change, curvature }].slice(-memory);
}
