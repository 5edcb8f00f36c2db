// Limited-memory BFGS: minimises a smooth function of many numbers from its values and gradients. Pure, no tensors.
// J. Nocedal, S. J. Wright: Numerical Optimization, 2nd edition (2006): direction by algorithm 7.4 (two-loop recursion),
// steps by algorithms 3.5 and 3.6 (strong Wolfe conditions).

/** Gives the value at a point and writes the gradient there into the second array. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

/** When to stop, and how much to remember. */
export interface MinimiseOptions {
  /** Ends when no part of the gradient is larger than this, in absolute value. Default 1e-6. */
  readonly tolerance?: number;
  /** Default 500. */
  readonly maxIterations?: number;
  /** How many of the last steps shape the next direction. Default 10. */
  readonly memory?: number;
}

/** Where a minimisation ended. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  /** Largest absolute part of the gradient at the point. */
  readonly slope: number;
  readonly iterations: number;
  /** False when `maxIterations` ended it. */
  readonly converged: boolean;
}

interface State {
  readonly point: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A place on the line that is searched. */
interface Trial extends State {
  readonly step: number;
  /** Derivative along the line. */
  readonly slope: number;
}

/** One step and how it changed the gradient. */
interface Correction {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** Wolfe's constants: sufficient decrease, and flatness as usual for quasi-Newton directions. */
const decrease = 1e-4;
const flatness = 0.9;
const maxTrials = 25;
/** Two values this close relative to their size differ by rounding only. */
const rounding = 16 * Number.EPSILON;

/**
 * Minimises a function.
 *
 * Ends at the tolerance, or where the line search finds nothing lower: rounding then hides what is left to gain.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-6, maxIterations = 500, memory = 10 }: MinimiseOptions = {},
): Minimum {
  let state = evaluate(objective, start.slice());
  let corrections: readonly Correction[] = [];
  let iterations = 0;
  let stuck = false;
  while (!stuck && largest(state.gradient) > tolerance && iterations < maxIterations) {
    const found = advance(objective, state, corrections);
    if (found === undefined) {
      // Old corrections may have gone stale: the plain gradient has one more try.
      stuck = corrections.length === 0;
      corrections = [];
      continue;
    }
    iterations++;
    corrections = remember(corrections, state, found, memory);
    stuck = state.value - found.value <= rounding * Math.abs(state.value);
    state = found;
  }
  const slope = largest(state.gradient);
  return { point: state.point, value: state.value, slope, iterations, converged: stuck || slope <= tolerance };
}

function evaluate(objective: Objective, point: Float64Array): State {
  const gradient = new Float64Array(point.length);
  return { point, value: objective(point, gradient), gradient };
}

function advance(objective: Objective, state: State, corrections: readonly Correction[]): State | undefined {
  const direction = descend(state.gradient, corrections);
  const slope = dot(direction, state.gradient);
  if (!(slope < 0)) return undefined;
  const first = corrections.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
  return searchLine(objective, { ...state, step: 0, slope }, direction, first);
}

/** Minus the gradient times the inverse Hessian that the corrections describe (algorithm 7.4). */
function descend(gradient: Float64Array, corrections: readonly Correction[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const factors: number[] = [];
  for (const { step, change, curvature } of [...corrections].reverse()) {
    const factor = dot(step, direction) / curvature;
    factors.push(factor);
    addScaled(direction, change, -factor);
  }
  const last = corrections.at(-1);
  if (last !== undefined) {
    const scale = last.curvature / dot(last.change, last.change);
    direction.forEach((value, i) => {
      direction[i] = scale * value;
    });
  }
  for (const { step, change, curvature } of corrections) {
    addScaled(direction, step, (factors.pop() ?? 0) - dot(change, direction) / curvature);
  }
  return direction;
}

function remember(corrections: readonly Correction[], from: State, to: State, memory: number): readonly Correction[] {
  const step = to.point.map((value, i) => value - (from.point[i] ?? 0));
  const change = to.gradient.map((value, i) => value - (from.gradient[i] ?? 0));
  const curvature = dot(step, change);
  if (!(curvature > Number.EPSILON * dot(change, change))) return corrections;
  return [...corrections, { step, change, curvature }].slice(-memory);
}

/** A step that meets the strong Wolfe conditions (algorithm 3.5); else the lowest trial, if it is lower at all. */
function searchLine(objective: Objective, start: Trial, direction: Float64Array, firstStep: number): State | undefined {
  const probe = (step: number): Trial => {
    const point = start.point.slice();
    addScaled(point, direction, step);
    const state = evaluate(objective, point);
    return { ...state, step, slope: dot(state.gradient, direction) };
  };
  let before = start;
  let step = firstStep;
  for (let trials = 0; trials < maxTrials; trials++) {
    const trial = probe(step);
    if (!isDecrease(start, trial) || (trials > 0 && trial.value >= before.value)) {
      return zoom(probe, start, before, trial);
    }
    if (isFlat(start, trial)) return trial;
    if (trial.slope >= 0) return zoom(probe, start, trial, before);
    before = trial;
    step *= 2;
  }
  return before.value < start.value ? before : undefined;
}

/** Narrows an interval that holds a good step (algorithm 3.6); `low` is its better end. */
function zoom(probe: (step: number) => Trial, start: Trial, low: Trial, high: Trial): State | undefined {
  for (let trials = 0; trials < maxTrials; trials++) {
    const trial = probe(between(low, high));
    if (!isDecrease(start, trial) || trial.value >= low.value) {
      high = trial;
      continue;
    }
    if (isFlat(start, trial)) return trial;
    if (trial.slope * (high.step - low.step) >= 0) high = low;
    low = trial;
  }
  return low.value < start.value ? low : undefined;
}

function isDecrease(start: Trial, { value, step }: Trial): boolean {
  return value <= start.value + decrease * step * start.slope;
}

function isFlat(start: Trial, { slope }: Trial): boolean {
  return Math.abs(slope) <= flatness * Math.abs(start.slope);
}

/** Minimum of the cubic through two trials (equation 3.59), kept off the ends; the middle where there is none. */
function between(low: Trial, high: Trial): number {
  const width = high.step - low.step;
  const middle = low.step + width / 2;
  const mean = low.slope + high.slope - (3 * (high.value - low.value)) / width;
  const root = Math.sign(width) * Math.sqrt(mean * mean - low.slope * high.slope);
  const step = high.step - (width * (high.slope + root - mean)) / (high.slope - low.slope + 2 * root);
  const share = (step - low.step) / width;
  return share > 0.1 && share < 0.9 ? step : middle;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** target += factor * source */
function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + factor * (source[i] ?? 0);
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
