// All rows of examples in plain memory.
import type { Examples } from './examples.ts';
import { allInBatches } from './readAhead.ts';
import { freeRows, readRows } from './readRows.ts';

/** Rows one behind the other. */
export interface Everything {
  /** [rows, …] */
  readonly values: Float32Array;
  readonly targets: readonly Float32Array[];
  readonly weights: readonly number[];
}

const batchSize = 256;

/**
 * Reads every row that can be read.
 *
 * @param rest - Called after each batch.
 */
export async function readEverything(examples: Examples, rest: () => Promise<void>): Promise<Everything> {
  const targets: Float32Array[] = [];
  const weights: number[] = [];
  let values = new Float32Array(0);
  let length = 0;
  for await (const rows of readRows(examples, allInBatches(examples.size, batchSize))) {
    if (rows === undefined) continue;
    try {
      const own = await rows.input.data<'float32'>();
      if (length === 0) values = new Float32Array((own.length / rows.ids.length) * examples.size);
      values.set(own, length);
      length += own.length;
      targets.push(...rows.targetRows);
      weights.push(...rows.weightRows);
    } finally {
      freeRows(rows);
    }
    await rest();
  }
  return { values: values.subarray(0, length), targets, weights };
}
