// Reads rows of examples batch by batch, ahead of the network.
import { dispose } from '@tensorflow/tfjs-core';
import type { Examples, Rows } from './examples.ts';
import { readAhead } from '../data/reading/readAhead.ts';

/** Yields the rows of each batch, which the caller owns. Undefined for a batch without a readable example. */
export function readRows(
  examples: Examples,
  batches: readonly (readonly number[])[],
  epoch = 0,
): AsyncIterable<Rows | undefined> {
  return readAhead({ batches, read: (rows) => examples.batch(rows, epoch), free: freeRows });
}

/** Frees the tensors of a batch. */
export function freeRows(rows: Rows | undefined): void {
  if (rows !== undefined) dispose([rows.input, rows.targets, rows.weights]);
}
