// Keeps a long computation polite: lets other work of the program run, reports progress, notices cancellation.
import type { Progress } from './types.ts';
import type { Stopwatch } from './stopwatch.ts';
import { takeTurns } from './takeTurns.ts';

/** Counts work that is done. */
export interface Pace {
  /** Says that `amount` more is done; resolves once other work of the program has had its turn. */
  advance(amount: number): Promise<void>;
}

/** What else is to be counted. */
export interface PaceOptions {
  /** What somebody else did of the total already. */
  readonly before?: number;
  /** Measures the changes of inputs. */
  readonly augmenting?: Stopwatch | undefined;
}

/** Starts counting towards a total. What `onProgress` throws, or rejects with, goes on to the caller. */
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
