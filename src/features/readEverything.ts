// Reads all rows of examples into plain memory.
import type { Examples } from './examples.ts';
import { notFinite } from '../core/notFinite.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { freeRows, readRows } from './readRows.ts';

/** Rows in one block of memory. All rows of the first view come first, then all of the second one. */
export interface Everything {
  /** [rows, …] */
  readonly values: Float32Array;
  readonly targets: readonly Float32Array[];
  readonly weights: readonly number[];
}

const batchSize = 256;

/**
 * Reads all rows of the examples that are readable, in each of their views.
 *
 * @param rest - Called after each batch.
 * @throws TransferKitError `NOT_FINITE`, and what reading raises.
 */
export async function readEverything(
  examples: Examples,
  views: number,
  rest: () => Promise<void>,
): Promise<Everything> {
  const targets: Float32Array[] = [];
  const weights: number[] = [];
  let values = new Float32Array(0);
  let length = 0;
  for (let view = 0; view < views; view++) {
    for await (const rows of readRows(examples, allInBatches(examples.size, batchSize), view)) {
      if (rows === undefined) continue;
      try {
        const own = await rows.input.data<'float32'>();
        assertFinite(own, rows.ids);
        if (length === 0) values = new Float32Array((own.length / rows.ids.length) * examples.size * views);
        values.set(own, length);
        length += own.length;
        targets.push(...rows.targetRows);
        weights.push(...rows.weightRows);
      } finally {
        freeRows(rows);
      }
      await rest();
    }
  }
  return { values: values.subarray(0, length), targets, weights };
}

function assertFinite(values: Float32Array, ids: readonly string[]): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw notFinite(ids[Math.floor((bad * ids.length) / values.length)] ?? '');
}
