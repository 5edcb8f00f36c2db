// Keeps a long computation cooperative: yields to the event loop, reports progress and checks for cancellation.
import type { Progress } from './types.ts';
import type { Stopwatch } from './stopwatch.ts';
import { takeTurns } from './takeTurns.ts';

/** Counts completed work. */
export interface Pace {
  /** Adds `amount` to the completed work; yields to the event loop before it resolves when that is due. */
  advance(amount: number): Promise<void>;
}

/** Other settings of the count. */
export interface PaceOptions {
  /** Work of the total that was completed before. */
  readonly before?: number;
  /** Measures the time spent on augmentation. */
  readonly augmenting?: Stopwatch | undefined;
}

/** Starts counting towards a total. An error that `onProgress` throws, or rejects with, is passed on to the caller. */
export async function startPace(
  phase: Progress['phase'],
  total: number,
  onProgress: ((progress: Progress) => unknown) | undefined,
  { before = 0, augmenting }: PaceOptions = {},
): Promise<Pace> {
  const start = performance.now();
  const elapsedBefore = augmenting?.elapsed() ?? 0;
  const costs = () => (augmenting === undefined ? {} : { augmentSeconds: augmenting.elapsed() - elapsedBefore });
  let done = before;
  const turn = takeTurns();
  await onProgress?.({ phase, done, total, secondsLeft: undefined, ...costs() });
  return {
    async advance(amount) {
      done += amount;
      const secondsLeft = ((performance.now() - start) / 1000 / (done - before)) * (total - done);
      await onProgress?.({ phase, done, total, secondsLeft, ...costs() });
      await turn();
    },
  };
}
