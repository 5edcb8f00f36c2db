// The time limit of a run, `maxSeconds` from the call of the verb.
import type { Run } from '../state/plan.ts';

type Limited = Pick<Run, 'startedAt'> & { readonly options: Pick<Run['options'], 'maxSeconds' | 'signal'> };

/**
 * Whether the time of a run is over.
 *
 * @param reserve - Seconds to be left over, for a last validation.
 */
export function isLate({ startedAt, options }: Limited, reserve = 0): boolean {
  return performance.now() - startedAt >= (options.maxSeconds - reserve) * 1000;
}

/** Aborted by the signal of a run, and as soon as its time is over. */
export function stopOf(run: Limited): Pick<AbortSignal, 'aborted'> {
  return {
    get aborted() {
      return run.options.signal?.aborted === true || isLate(run);
    },
  };
}

/** What has stopped a run whose `stopOf` is aborted. */
export function stopperOf({ options }: Limited): 'signal' | 'time' {
  return options.signal?.aborted === true ? 'signal' : 'time';
}
