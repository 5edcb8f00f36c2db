// Line search: finds a step along a direction that meets the strong Wolfe conditions. J. Nocedal, S. J. Wright:
// Numerical Optimization, 2nd edition (2006), algorithms 3.5 and 3.6.
import { addScaled, dot } from './vectors.ts';

/** Value and gradient at a point. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A point with its evaluation. */
export interface State extends Evaluation {
  readonly point: Float64Array;
}

/** Yields points to be evaluated, one after the other; returns a result. */
export type Search<Result> = Generator<Float64Array, Result, Evaluation>;

/** A line and its start. */
export interface Line {
  readonly start: State;
  readonly direction: Float64Array;
  /** Derivative along the line at its start, below 0. */
  readonly slope: number;
  /** Step to try first. */
  readonly first: number;
  /** Values whose relative difference is below this count as equal. */
  readonly noise: number;
}

/** A point on the line. */
interface Trial extends State {
  readonly step: number;
  /** Derivative along the line. */
  readonly slope: number;
}

/**
 * Constants of the Wolfe conditions: sufficient decrease, and curvature, with the usual value for quasi-Newton
 * directions.
 */
const decrease = 1e-4;
const flatness = 0.9;
const maxTrials = 25;

/**
 * Finds a step that meets the conditions (algorithm 3.5). Otherwise returns the lowest trial, if it is lower than the
 * start.
 */
export function* searchLine(line: Line): Search<State | undefined> {
  const start: Trial = { ...line.start, step: 0, slope: line.slope };
  let before = start;
  let step = line.first;
  for (let trials = 0; trials < maxTrials; trials++) {
    const trial = yield* probe(line, step);
    if (!isDecrease(line, trial) || (trials > 0 && trial.value >= before.value)) {
      return yield* zoom(line, before, trial);
    }
    if (isFlat(line, trial)) return trial;
    if (trial.slope >= 0) return yield* zoom(line, trial, before);
    before = trial;
    step *= 2;
  }
  return before.value < start.value ? before : undefined;
}

/** Narrows an interval that contains a valid step (algorithm 3.6); `low` is the end with the lower value. */
function* zoom(line: Line, low: Trial, high: Trial): Search<State | undefined> {
  for (let trials = 0; trials < maxTrials; trials++) {
    const trial = yield* probe(line, between(low, high));
    if (!isDecrease(line, trial) || trial.value >= low.value) {
      high = trial;
      continue;
    }
    if (isFlat(line, trial)) return trial;
    if (trial.slope * (high.step - low.step) >= 0) high = low;
    low = trial;
  }
  return low.value < line.start.value ? low : undefined;
}

function* probe({ start, direction }: Line, step: number): Search<Trial> {
  const point = start.point.slice();
  addScaled(point, direction, step);
  const evaluation = yield point;
  return { ...evaluation, point, step, slope: dot(evaluation.gradient, direction) };
}

function isDecrease({ start, slope, noise }: Line, { value, step }: Trial): boolean {
  return value <= start.value + decrease * step * slope + noise * Math.abs(start.value);
}

function isFlat({ slope }: Line, trial: Trial): boolean {
  return Math.abs(trial.slope) <= flatness * Math.abs(slope);
}

/**
 * Minimum of the cubic through two trials (equation 3.59), not too close to the ends; the middle if there is no
 * minimum.
 */
function between(low: Trial, high: Trial): number {
  const width = high.step - low.step;
  const middle = low.step + width / 2;
  const mean = low.slope + high.slope - (3 * (high.value - low.value)) / width;
  const root = Math.sign(width) * Math.sqrt(mean * mean - low.slope * high.slope);
  const step = high.step - (width * (high.slope + root - mean)) / (high.slope - low.slope + 2 * root);
  const share = (step - low.step) / width;
  return share > 0.1 && share < 0.9 ? step : middle;
}
