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
  const blocks: Float32Array[] = [];
  const targets: Float32Array[] = [];
  const weights: number[] = [];
  for await (const rows of readRows(examples, allInBatches(examples.size, batchSize))) {
    if (rows === undefined) continue;
    try {
      const values = await rows.input.data<'float32'>();
      blocks.push(values.slice());
      targets.push(...rows.targetRows);
      weights.push(...rows.weightRows);
    } finally {
      freeRows(rows);
    }
    await rest();
  }
  return { values: joined(blocks), targets, weights };
}

/** Blocks of numbers as one. */
export function joined(blocks: readonly Float32Array[]): Float32Array {
  const values = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    values.set(block, at);
    at += block.length;
  }
  return values;
}
