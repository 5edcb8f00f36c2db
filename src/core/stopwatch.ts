// Sums up how long some work takes that is done again and again between other work.

/** Time that adds up. */
export interface Stopwatch {
  /** Runs some work and adds the time that it takes. */
  time<T>(work: () => Promise<T>): Promise<T>;
  /** Seconds so far. */
  elapsed(): number;
}

/** Begins at 0. */
export function makeStopwatch(): Stopwatch {
  let seconds = 0;
  return {
    async time(work) {
      const start = performance.now();
      try {
        return await work();
      } finally {
        seconds += (performance.now() - start) / 1000;
      }
    },
    elapsed: () => seconds,
  };
}
