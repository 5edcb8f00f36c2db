// Keeps a long computation polite: lets other work of the program run, reports progress, notices cancellation.
import type { Progress } from '../core/types.ts';

/** Longest stretch of computation without letting timers, input and signals through, in milliseconds. */
const stretch = 20;

/** Counts work that is done. */
export interface Pace {
  /** Says that `amount` more is done; resolves once other work of the program has had its turn. */
  advance(amount: number): Promise<void>;
}

/**
 * Starts counting towards a total.
 *
 * @param before - What somebody else did of it already.
 */
export function startPace(
  phase: Progress['phase'],
  total: number,
  onProgress: ((progress: Progress) => void) | undefined,
  before = 0,
): Pace {
  const start = performance.now();
  let done = before;
  let lastTurn = start;
  onProgress?.({ phase, done, total, secondsLeft: undefined });
  return {
    async advance(amount) {
      done += amount;
      const now = performance.now();
      onProgress?.({ phase, done, total, secondsLeft: ((now - start) / 1000 / (done - before)) * (total - done) });
      if (now - lastTurn < stretch) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      lastTurn = performance.now();
    },
  };
}
