// The interfaces of schedules, and lengths of parts of a run.
import { TransferKitError } from '../../core/errors.ts';
import { isObject } from '../../core/optionChecks.ts';
import type { EpochLog, Monitor } from '../../core/logs.ts';

/**
 * Factor on the learning rate, from 0.
 *
 * @param step - Steps done in this run, from 0.
 * @param total - Steps of the whole run.
 */
export type ScheduleFunction = (step: number, total: number) => number;

/** A schedule that follows figures of epochs. Its state is plain numbers, so that checkpoints can store it. */
export interface AdaptiveSchedule {
  /** Identifies the schedule, settings included: a run can be resumed only with the same one. */
  readonly name: string;
  /** A figure that every epoch must have: training without it is refused before it begins. Default: none. */
  readonly monitor?: Monitor;
  /** State before the first epoch. */
  readonly init: readonly number[];
  /**
   * Factor on the learning rate, from 0.
   *
   * @param step - Steps done in this run, from 0.
   * @param total - Steps of the whole run.
   */
  factor(state: readonly number[], step: number, total: number): number;
  /** State after an epoch. */
  afterEpoch(state: readonly number[], epoch: EpochLog): readonly number[];
}

/** A schedule of the learning rate: a function of the step, or one that follows figures of epochs too. */
export type Schedule = ScheduleFunction | AdaptiveSchedule;

/** A part of a run: a whole number of steps from 1, or below 1 a share of all steps. */
export type Span = number;

/** Whether a value is a schedule. */
export function isSchedule(value: unknown): value is Schedule {
  if (typeof value === 'function') return true;
  if (!isObject(value) || !('init' in value && 'factor' in value && 'afterEpoch' in value)) return false;
  return Array.isArray(value.init) && typeof value.factor === 'function' && typeof value.afterEpoch === 'function';
}

/** A schedule in the form of the loop; a function has no state. */
export function asAdaptive(schedule: Schedule): AdaptiveSchedule {
  if (typeof schedule !== 'function') return schedule;
  return {
    name: schedule.name,
    init: [],
    factor: (_, step, total) => schedule(step, total),
    afterEpoch: (state) => state,
  };
}

/** Gives a schedule the name of its maker and settings. */
export function named(name: string, settings: object, schedule: ScheduleFunction): ScheduleFunction {
  return Object.defineProperty(schedule, 'name', { value: nameOf(name, settings) });
}

/** `cosine({"end":0})`. */
export function nameOf(name: string, settings: object): string {
  return `${name}(${JSON.stringify(settings)})`;
}

/** Number of steps of a span; may be fractional for a share. */
export function stepsIn(span: Span, total: number): number {
  return span < 1 ? span * total : span;
}

/** Number of whole spans that are over. Ignores rounding of shares (0.1 of 30 steps is 3.0000000000000004). */
export function spansOver(steps: number, span: number): number {
  return Math.floor(steps / span + 1e-9);
}

/** Raises unless a value is a span. */
export function assertSpan(name: string, span: number): void {
  if ((span > 0 && span < 1) || (Number.isInteger(span) && span >= 1)) return;
  throw wrongSetting(`${name} to be a whole number of steps from 1 or a share above 0 and below 1`, span);
}

/** Raises unless a number is in a range, ends included. */
export function assertWithin(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (Number.isFinite(value) && value >= least && value <= most) return;
  const range = most === Infinity ? `a number from ${String(least)}` : `from ${String(least)} to ${String(most)}`;
  throw wrongSetting(`${name} to be ${range}`, value);
}

/** The error for an invalid setting. */
export function wrongSetting(expected: string, received: unknown): TransferKitError {
  const text = `expected ${expected}, got ${String(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
