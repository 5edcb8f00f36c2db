// Limits on work that goes on at once: a camera's picture takes 50 MB until it is resized.

/** Runs tasks, no more than `most` at once: the others wait for their turn, in the order in which they came. */
export function turns(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  const share = shares();
  return (task) => share(1, most, task);
}

/** Runs a task that takes `amount` of something of which there is `most`. */
export type Share = <T>(amount: number, most: number, task: () => Promise<T>) => Promise<T>;

/**
 * Runs tasks while the sum of their amounts is no more than `most`: the others wait, in the order in which they came. A
 * task that alone takes more runs by itself.
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
