// Sums up the time of work that is repeated between other work.

/** A sum of times. */
export interface Stopwatch {
  /** Runs some work and adds its duration. */
  time<T>(work: () => Promise<T>): Promise<T>;
  /** Seconds so far. */
  elapsed(): number;
}

/** Makes a stopwatch that begins at 0. */
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
