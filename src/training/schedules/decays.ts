// Schedules that fall by a formula.
import { nameErrors } from '../../core/edge.ts';
import {
  assertSpan,
  assertWithin,
  named,
  spansOver,
  stepsIn,
  wrongSetting,
  type ScheduleFunction,
  type Span,
} from './schedule.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Keeps the given rate for the whole run.
 *
 * @example
 * ```ts
 * import { constant } from 'transferkit/schedules';
 * console.log(constant()(7, 10)); // 1
 * ```
 */
export function constant(): ScheduleFunction {
  return named('constant', {}, () => 1);
}

/** Options of {@link cosine}. */
export interface CosineOptions {
  /** Factor at the end of the run, 0 … 1. Default 0. */
  readonly end?: number;
}

/**
 * Falls from 1 to `end` along half a cosine: `end + (1 - end) · (1 + cos(π · step / total)) / 2`.
 *
 * Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5 without restarts;
 * Keras's
 * `CosineDecay`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { cosine } from 'transferkit/schedules';
 * console.log(cosine()(5, 10).toFixed(2)); // 0.50
 * ```
 */
export function cosine(options: CosineOptions = {}): ScheduleFunction {
  return nameErrors('cosine', () => {
    assertOptions(options, { end: true });
    const { end = 0 } = options;
    assertWithin('end', end, [0, 1]);
    return named('cosine', { end }, (step, total) => end + (1 - end) * halfCosine(step / total));
  });
}

/** Options of {@link cosineRestarts}. */
export interface CosineRestartsOptions extends CosineOptions {
  /** Length of the first fall. Default 1/7 of the run: with `longer` 2, three falls fill it. */
  readonly first?: Span;
  /** Factor from the length of a fall to that of the next, from 1. Default 2. */
  readonly longer?: number;
  /** Factor from the height of a fall to that of the next, above 0 and at most 1. Default 1. */
  readonly lower?: number;
}

/**
 * Falls along half a cosine repeatedly, each time over more steps: SGDR (see {@link cosine}). Keras's
 * `CosineDecayRestarts`, whose `t_mul` and `m_mul` are `longer` and `lower`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { cosineRestarts } from 'transferkit/schedules';
 * const schedule = cosineRestarts({ first: 10, longer: 2 });
 * console.log(schedule(9, 70).toFixed(2), schedule(10, 70)); // 0.02 1
 * ```
 */
export function cosineRestarts(options: CosineRestartsOptions = {}): ScheduleFunction {
  return nameErrors('cosineRestarts', () => {
    assertOptions(options, { first: true, longer: true, lower: true, end: true });
    const { first = 1 / 7, longer = 2, lower = 1, end = 0 } = options;
    assertSpan('first', first);
    assertWithin('longer', longer, [1, Infinity]);
    assertWithin('end', end, [0, 1]);
    if (!(lower > 0 && lower <= 1)) throw wrongSetting('lower to be above 0 and at most 1', lower);
    return named('cosineRestarts', { first, longer, lower, end }, (step, total) => {
      let [start, length, height] = [0, stepsIn(first, total), 1];
      while (spansOver(step - start, length) > 0)
        [start, length, height] = [start + length, length * longer, height * lower];
      return end + height * (1 - end) * halfCosine((step - start) / length);
    });
  });
}

/** Options of {@link step}. */
export interface StepOptions {
  /** Length of a step of the schedule. Default 1/3 of the run. */
  readonly every?: Span;
  /** Factor after each length, above 0 and at most 1. Default 0.1. */
  readonly factor?: number;
}

/**
 * Falls in steps: `factor ^ floor(step / every)`. PyTorch's `StepLR`, counted in steps.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { step } from 'transferkit/schedules';
 * console.log(step({ every: 10, factor: 0.5 })(25, 100)); // 0.25
 * ```
 */
export function step(options: StepOptions = {}): ScheduleFunction {
  return nameErrors('step', () => {
    assertOptions(options, { every: true, factor: true });
    const { every = 1 / 3, factor = 0.1 } = options;
    assertSpan('every', every);
    assertFactor(factor);
    return named('step', { every, factor }, (step, total) => factor ** spansOver(step, stepsIn(every, total)));
  });
}

/** Options of {@link exponential}. */
export interface ExponentialOptions {
  /** Length over which the rate falls by the factor. Default: the whole run. */
  readonly over?: Span;
  /** Factor over that length, above 0 and at most 1. Default 0.01. */
  readonly factor?: number;
}

/**
 * Falls by equal factors: `factor ^ (step / over)`. Keras's `ExponentialDecay`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { exponential } from 'transferkit/schedules';
 * console.log(exponential({ over: 10, factor: 0.25 })(5, 100)); // 0.5
 * ```
 */
export function exponential(options: ExponentialOptions = {}): ScheduleFunction {
  return nameErrors('exponential', () => {
    assertOptions(options, { over: true, factor: true });
    const { over, factor = 0.01 } = options;
    if (over !== undefined) assertSpan('over', over);
    assertFactor(factor);
    return named('exponential', { over, factor }, (step, total) => {
      return factor ** (step / (over === undefined ? total : stepsIn(over, total)));
    });
  });
}

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Factor at the end of the run, 0 … 1. Default 0. */
  readonly end?: number;
}

/**
 * Falls from 1 to `end` along a straight line: `end + (1 - end) · (1 - step / total)`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { linear } from 'transferkit/schedules';
 * console.log(linear({ end: 0.5 })(5, 10)); // 0.75
 * ```
 */
export function linear(options: LinearOptions = {}): ScheduleFunction {
  return nameErrors('linear', () => {
    assertOptions(options, { end: true });
    const { end = 0 } = options;
    assertWithin('end', end, [0, 1]);
    return named('linear', { end }, (step, total) => end + (1 - end) * Math.max(0, 1 - step / total));
  });
}

/** Options of {@link polynomial}. */
export interface PolynomialOptions {
  /** Exponent, above 0. Default 1: a straight line. */
  readonly power?: number;
  /** Factor at the end of the run, 0 … 1. Default 0. */
  readonly end?: number;
}

/**
 * Falls from 1 to `end` by a power: `end + (1 - end) · (1 - step / total) ^ power`. Keras's `PolynomialDecay`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { polynomial } from 'transferkit/schedules';
 * console.log(polynomial({ power: 2 })(5, 10)); // 0.25
 * ```
 */
export function polynomial(options: PolynomialOptions = {}): ScheduleFunction {
  return nameErrors('polynomial', () => {
    assertOptions(options, { power: true, end: true });
    const { power = 1, end = 0 } = options;
    if (!(power > 0 && Number.isFinite(power))) throw wrongSetting('power to be a number above 0', power);
    assertWithin('end', end, [0, 1]);
    return named('polynomial', { power, end }, (step, total) => {
      return end + (1 - end) * Math.max(0, 1 - step / total) ** power;
    });
  });
}

/**
 * Falls from 1 at share 0 to 0 at share 1, and stays 0 beyond: a run may take more steps than were counted at its
 * start.
 */
function halfCosine(share: number): number {
  return (1 + Math.cos(Math.PI * Math.min(share, 1))) / 2;
}

function assertFactor(factor: number): void {
  if (!(factor > 0 && factor <= 1)) throw wrongSetting('factor to be above 0 and at most 1', factor);
}
