// Limits on concurrent work: a camera's picture takes 50 MB until it is resized.

/** Runs at most `most` tasks at once. The others wait in the order in which they were added. */
export function turns(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  const share = shares();
  return (task) => share(1, most, task);
}

/** Runs a task that takes `amount` of a resource with a capacity of `most`. */
export type Share = <T>(amount: number, most: number, task: () => Promise<T>) => Promise<T>;

/**
 * Runs tasks while the sum of their amounts is at most `most`. The others wait in the order in which they were added. A
 * task that needs more than `most` runs alone.
 */
export function shares(): Share {
  const waiting: Waiting[] = [];
  let taken = 0;
  const fits = ({ amount, most }: Waiting) => taken === 0 || taken + amount <= most;
  const beginNext = () => {
    for (let next = waiting[0]; next !== undefined && fits(next); next = waiting[0]) {
      waiting.shift();
      taken += next.amount;
      next.begin();
    }
  };
  return async (amount, most, task) => {
    await new Promise<void>((begin) => {
      waiting.push({ amount, most, begin });
      beginNext();
    });
    try {
      return await task();
    } finally {
      taken -= amount;
      beginNext();
    }
  };
}

interface Waiting {
  readonly amount: number;
  readonly most: number;
  readonly begin: () => void;
}
