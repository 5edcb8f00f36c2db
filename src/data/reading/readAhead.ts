// Reads the next batches while the network computes the current one: in order, and only a few ahead.

/** Number of examples to read ahead of the network. */
const lookahead = 32;

/** What to read, and how to read and free it. */
export interface Reading<T> {
  /** Rows of each batch, in the order of use. */
  readonly batches: readonly (readonly number[])[];
  readonly read: (rows: readonly number[]) => Promise<T>;
  /** Frees a batch that was read but is no longer needed. */
  readonly free: (batch: T) => void;
}

/**
 * Yields batch after batch. While the caller uses one, the batches that contain the next 32 examples are read, at least
 * one.
 *
 * A failed read is raised when its batch is due. In that case, and when the caller leaves the loop, all pending reads
 * are awaited and freed. The caller owns the batches that were yielded.
 */
export async function* readAhead<T>({ batches, read, free }: Reading<T>): AsyncGenerator<T, void, undefined> {
  const most = 1 + Math.max(1, Math.ceil(lookahead / (batches[0]?.length ?? lookahead)));
  const underway: Promise<T>[] = [];
  let started = 0;
  try {
    for (;;) {
      for (const rows of batches.slice(started, started + most - underway.length)) {
        const batch = read(rows);
        // A failure must not count as an unhandled rejection before its batch is due.
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

/** All rows from 0 on, in order, as batches. */
export function allInBatches(size: number, batchSize: number): number[][] {
  return batchesOf(
    Array.from({ length: size }, (_, row) => row),
    batchSize,
  );
}
