// The schedules by name. Names and types derive from this table.
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { hasKey, keysOf, quoted } from '../../core/names.ts';
import { constant, cosine, cosineRestarts, exponential, linear, polynomial, step } from './decays.ts';
import { oneCycle, warmUp, type WarmUpOptions } from './oneCycle.ts';
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
 * A schedule as plain data, which logs hold and workers take: `{ name: 'cosine', options: { end: 0.01 }, warmUp: {} }` is
 * `warmUp(cosine({ end: 0.01 }))`.
 */
export type ScheduleSettings = {
  readonly [Name in ScheduleName]: {
    readonly name: Name;
    /** Options of the schedule. Default: its own. */
    readonly options?: NonNullable<Parameters<(typeof schedules)[Name]>[0]>;
    /** Options of a warm-up before it. Default: no warm-up. */
    readonly warmUp?: WarmUpOptions;
  };
}[ScheduleName];

/**
 * The schedule of a name or of settings, or the given one.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleSchedule(schedule: ScheduleName | ScheduleSettings | Schedule): AdaptiveSchedule {
  if (isSchedule(schedule)) return asAdaptive(schedule);
  if (isObject(schedule) && hasKey(schedules, schedule.name)) return settleSettings(schedule);
  if (hasKey(schedules, schedule)) return asAdaptive(schedules[schedule]());
  const expected = `schedule to be ${quoted(keysOf(schedules))}, { name, options, warmUp }, a schedule or a function`;
  throw invalidOption(expected, schedule);
}

function settleSettings(settings: ScheduleSettings): AdaptiveSchedule {
  assertOptions(settings, { name: true, options: true, warmUp: true }, { of: 'schedule' });
  const { name, warmUp: rising } = settings;
  const options: object | undefined = settings.options;
  if (name === 'constant' && options !== undefined) {
    assertOptions(options, {}, { of: 'schedule.options', example: '{}' });
  }
  const make: (options?: object) => Schedule = schedules[name];
  const schedule = make(options);
  return rising === undefined ? asAdaptive(schedule) : warmUp(schedule, rising);
}
