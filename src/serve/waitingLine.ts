// Bounds the number of pictures that are worked on, the number that wait, and how long they wait.
import { turns } from '../core/concurrency.ts';
import { refuseForNow, type Answer } from './answer.ts';

/** Limits of the line. */
export interface LineLimits {
  readonly parallel: number;
  readonly queue: number;
  readonly maxSeconds: number;
}

/** Pictures that are worked on or wait. */
export interface WaitingLine {
  readonly isFull: boolean;
  /** Number of pictures that are worked on. */
  readonly running: number;
  /** Number of pictures that wait. */
  readonly waiting: number;
  /**
   * Works in turn.
   *
   * @param isWanted - Asked when its turn comes: false if nobody waits for the result any more.
   * @returns The result; a refusal if there are too many or the turn came too late; undefined if it was not wanted.
   */
  work(task: () => Promise<Answer>, isWanted: () => boolean): Promise<Answer | undefined>;
}

/** The refusal of a picture that finds the line full. */
export function refuseFull(): Answer {
  return refuseForNow('OVERLOADED', 'expected less to do: too many pictures are waiting. Try again later.');
}

/** Opens a line. */
export function waitingLine({ parallel, queue, maxSeconds }: LineLimits): WaitingLine {
  const inTurn = turns(parallel);
  let inside = 0;
  let running = 0;
  const isFull = (): boolean => inside >= parallel + queue;
  return {
    get isFull() {
      return isFull();
    },
    get running() {
      return running;
    },
    get waiting() {
      return inside - running;
    },
    work: async (task, isWanted) => {
      if (isFull()) return refuseFull();
      const since = performance.now();
      inside++;
      try {
        return await inTurn(async () => {
          if (!isWanted()) return undefined;
          if (performance.now() - since > maxSeconds * 1000) {
            return refuseForNow('OVERLOADED', `waited ${String(maxSeconds)} seconds for a turn. Try again later.`);
          }
          running++;
          try {
            return await task();
          } finally {
            running--;
          }
        });
      } finally {
        inside--;
      }
    },
  };
}
