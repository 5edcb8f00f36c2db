// The schedules by name. Names and types derive from this table.
import { invalidOption } from '../../core/optionChecks.ts';
import { hasKey, keysOf, quoted } from '../../core/names.ts';
import { constant, cosine, cosineRestarts, exponential, linear, polynomial, step } from './decays.ts';
import { oneCycle } from './oneCycle.ts';
import { plateau } from './plateau.ts';
import { asAdaptive, isSchedule, type AdaptiveSchedule, type Schedule } from './schedule.ts';

/** All schedules: a name is the same as its function called without arguments. */
export const schedules = {
  constant,
  cosine,
  cosineRestarts,
  oneCycle,
  linear,
  polynomial,
  step,
  exponential,
  plateau,
} as const satisfies Readonly<Record<string, () => Schedule>>;

/** Name of a schedule: `'cosine'` is `cosine()` of `transferkit/schedules`. */
export type ScheduleName = keyof typeof schedules;

/**
 * The schedule of a name, or the given one.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleSchedule(schedule: ScheduleName | Schedule): AdaptiveSchedule {
  if (isSchedule(schedule)) return asAdaptive(schedule);
  if (hasKey(schedules, schedule)) return asAdaptive(schedules[schedule]());
  throw invalidOption(`schedule to be ${quoted(keysOf(schedules))}, a schedule or a function`, schedule);
}
