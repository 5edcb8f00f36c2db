// Preprocesses raw inputs for prediction, batch by batch.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import type { Base } from '../../model/model.ts';
import { gatherFor, type Gather } from './gatherInputs.ts';
import { allInBatches, readAhead } from './readAhead.ts';

/** Inputs that are ready for the base. */
export interface PreparedInputs {
  /** [b, …]; the caller owns it. */
  readonly input: Tensor;
  /** Names of the inputs in error texts. */
  readonly names: readonly string[];
}

/** Whether a raw input is a list of inputs. A list of numbers is the values of one example. */
export function isListOfInputs(input: unknown): input is readonly unknown[] {
  return Array.isArray(input) && !(input.length > 0 && input.every((each) => typeof each === 'number'));
}

/** Preprocesses inputs in their order; the next ones while the caller works on one batch. */
export function prepareInputs(
  base: Base,
  inputs: readonly unknown[],
  batchSize: number,
): AsyncIterable<PreparedInputs> {
  const gather = gatherFor(base);
  return readAhead({
    batches: allInBatches(inputs.length, batchSize),
    read: (rows) => prepare(gather, inputs, rows),
    free: (batch) => {
      dispose(batch.input);
    },
  });
}

/** Frees everything when one of the inputs fails. */
async function prepare(gather: Gather, inputs: readonly unknown[], rows: readonly number[]): Promise<PreparedInputs> {
  const gathering = gather(rows.length);
  const names = rows.map((row) => nameOf(inputs[row], row));
  try {
    const settled = await Promise.allSettled(
      rows.map((row, place) => gathering.add(place, inputs[row], names[place] ?? '')),
    );
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    const input = gathering.finish([...rows.keys()]);
    if (input === undefined) throw internalError('a batch without inputs');
    return { input, names };
  } finally {
    gathering.dispose();
  }
}

function nameOf(input: unknown, row: number): string {
  return typeof input === 'string' ? input : `input ${String(row)}`;
}
