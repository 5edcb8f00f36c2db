// Learning-rate schedules: pure functions from how far a run is to a factor on the rate.
import { TransferKitError } from '../core/errors.ts';

/**
 * Factor on the learning rate.
 *
 * @param step - Steps done in this run, from 0.
 * @param total - Steps of the whole run.
 */
export type Schedule = (step: number, total: number) => number;

/** Always 1. */
const constant: Schedule = () => 1;

/**
 * Falls from 1 to 0 along half a cosine: `(1 + cos(π · step / total)) / 2`.
 *
 * Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5 without restarts.
 */
const cosine: Schedule = (step, total) => (1 + Math.cos((Math.PI * step) / total)) / 2;

const schedules: ReadonlyMap<string, Schedule> = new Map([
  ['constant', constant],
  ['cosine', cosine],
]);

/**
 * The schedule of a name, or the given function.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleSchedule(verb: string, schedule: 'constant' | 'cosine' | Schedule): Schedule {
  const found = typeof schedule === 'function' ? schedule : schedules.get(schedule);
  if (found !== undefined) return found;
  const text = `${verb}: expected schedule to be 'constant', 'cosine' or a function, got ${String(schedule)}.`;
  throw new TransferKitError('INVALID_OPTION', text, { schedule });
}
