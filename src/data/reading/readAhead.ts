// Reads the batches to come while the network works on the one at hand: in order, and never more than a few of them.

/** Examples that are wanted to be on their way before the network asks for them. */
const lookahead = 32;

/** What to read, and how. */
export interface Reading<T> {
  /** Rows of each batch, in the order in which the batches are wanted. */
  readonly batches: readonly (readonly number[])[];
  readonly read: (rows: readonly number[]) => Promise<T>;
  /** Frees a batch that was read but is not wanted any more. */
  readonly free: (batch: T) => void;
}

/**
 * Hands out batch after batch. Behind the one handed out there are as many under way as make up 32 examples, at least one.
 *
 * A read that fails is raised when its turn comes. When that happens, and when the caller leaves the loop, everything that
 * is under way is waited for and freed; what was handed out is the caller's.
 */
export async function* readAhead<T>({ batches, read, free }: Reading<T>): AsyncGenerator<T, void, undefined> {
  const most = 1 + Math.max(1, Math.ceil(lookahead / (batches[0]?.length ?? lookahead)));
  const underway: Promise<T>[] = [];
  let started = 0;
  try {
    for (;;) {
      for (const rows of batches.slice(started, started + most - underway.length)) {
        const batch = read(rows);
        // Until its turn comes, a failure must not count as unhandled.
        batch.catch(() => undefined);
        underway.push(batch);
        started++;
      }
      const [next] = underway;
      if (next === undefined) return;
      const batch = await next;
      void underway.shift();
      yield batch;
    }
  } finally {
    for (const batch of underway) await batch.then(free, () => undefined);
  }
}

/** Cuts rows into batches; the last may be smaller. */
export function batchesOf(rows: readonly number[], batchSize: number): number[][] {
  const count = Math.ceil(rows.length / batchSize);
  return Array.from({ length: count }, (_, batch) => rows.slice(batch * batchSize, (batch + 1) * batchSize));
}

/** All rows from 0 on, in their order, in batches. */
export function allInBatches(size: number, batchSize: number): number[][] {
  return batchesOf(
    Array.from({ length: size }, (_, row) => row),
    batchSize,
  );
}
