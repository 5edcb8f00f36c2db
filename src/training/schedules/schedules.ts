// Schedules by name.
import { constant, cosine, cosineRestarts, exponentialDecay, polynomialDecay, stepDecay } from './decays.ts';
import { oneCycle } from './oneCycle.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { reduceOnPlateau } from './reduceOnPlateau.ts';
import { asAdaptive, type AdaptiveSchedule, type Schedule } from './schedule.ts';

/** Schedules with their usual settings; `'linear'` falls along a straight line. */
export type ScheduleName =
  'constant' | 'cosine' | 'cosineRestarts' | 'oneCycle' | 'linear' | 'step' | 'exponential' | 'plateau';

/**
 * The schedule of a name, or the given one.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleSchedule(verb: string, schedule: ScheduleName | Schedule): AdaptiveSchedule {
  const found = isSchedule(schedule) ? schedule : byName(schedule);
  if (found !== undefined) return asAdaptive(found);
  const names =
    "'constant', 'cosine', 'cosineRestarts', 'oneCycle', 'linear', 'step', 'exponential', 'plateau', a schedule or a function";
  throw invalidOption(verb, `schedule to be ${names}`, schedule);
}

function byName(name: unknown): Schedule | undefined {
  switch (name) {
    case 'constant':
      return constant();
    case 'cosine':
      return cosine();
    case 'cosineRestarts':
      return cosineRestarts();
    case 'oneCycle':
      return oneCycle();
    case 'linear':
      return polynomialDecay();
    case 'step':
      return stepDecay();
    case 'exponential':
      return exponentialDecay();
    case 'plateau':
      return reduceOnPlateau();
    default:
      return undefined;
  }
}

function isSchedule(value: unknown): value is Schedule {
  if (typeof value === 'function') return true;
  if (!isObject(value) || !('init' in value && 'factor' in value && 'afterEpoch' in value)) return false;
  return Array.isArray(value.init) && typeof value.factor === 'function' && typeof value.afterEpoch === 'function';
}
