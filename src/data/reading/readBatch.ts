// Reads and preprocesses the examples of one batch in parallel.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { isTransferKitError, reasonOf, TransferKitError } from '../../core/errors.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import type { AnyModel } from '../../model/model.ts';
import type { Sample, Samples, Unreadable } from '../../core/types.ts';
import { gatherFor, type Gathering } from './gatherInputs.ts';
import { readAhead } from './readAhead.ts';
import { encodeTargets, type WithHeads } from '../../model/headTargets.ts';

/** What examples are read for: a model, or a base with its own targets. */
export type Reader = WithHeads & Pick<AnyModel, 'base'>;

/** Examples that are ready for the network. The reader's caller owns `input`. */
export interface Batch {
  /** [b, …]; undefined when no example of the batch could be read. */
  readonly input: Tensor | undefined;
  readonly targets: readonly Float32Array[];
  readonly weights: readonly number[];
  /** Indexes of the readable ones among the samples. */
  readonly indexes: readonly number[];
  readonly ids: readonly string[];
  readonly unreadable: readonly Unreadable[];
}

/**
 * Makes a function that reads examples by index.
 *
 * Examples that cannot be read are listed; the caller decides whether that is an error. Any other fault of an example
 * (shape, range, NaN, label) is raised.
 */
export function batchReader(model: Reader, samples: Samples): (indexes: readonly number[]) => Promise<Batch> {
  const gather = gatherFor(model.base);
  const reading = { model, samples };
  return async (indexes) => {
    const inputs = gather(indexes.length);
    try {
      const settled = await Promise.allSettled(
        indexes.map((index, place) => readExample(reading, inputs, index, place)),
      );
      const found = settled.map((each) => {
        if (each.status === 'rejected') throw each.reason;
        return each.value;
      });
      const readable = found.filter((each) => 'target' in each);
      return {
        input: inputs.finish(readable.map(({ place }) => place)),
        targets: readable.map(({ target }) => target),
        weights: readable.map(({ weight }) => weight),
        indexes: readable.map(({ index }) => index),
        ids: readable.map(({ id }) => id),
        unreadable: found.filter((each) => 'reason' in each),
      };
    } finally {
      inputs.dispose();
    }
  };
}

/** Reads batch after batch; the next ones while the caller works on one. The caller owns the inputs. */
export function readBatches(
  model: Reader,
  samples: Samples,
  batches: readonly (readonly number[])[],
): AsyncIterable<Batch> {
  return readAhead({
    batches,
    read: batchReader(model, samples),
    free: ({ input }) => {
      dispose(input);
    },
  });
}

/**
 * Raises one error about all examples that could not be read.
 *
 * @throws TransferKitError `UNREADABLE` when the list is not empty, unless the samples say `skip`.
 */
export function assertReadable(samples: Samples, unreadable: readonly Unreadable[]): void {
  if (unreadable.length === 0 || samples.onUnreadable === 'skip') return;
  const shown = unreadable.slice(0, 10).map(({ id, reason }) => `${id} (${reason})`);
  const more = unreadable.length > shown.length ? ` and ${String(unreadable.length - shown.length)} more` : '';
  throw new TransferKitError(
    'UNREADABLE',
    `expected every example to be readable, got ${String(unreadable.length)} that are not: ${shown.join('; ')}${more}. ` +
      "Remove them, or read the samples with onUnreadable: 'skip'.",
    { unreadable },
  );
}

interface Reading {
  readonly model: Reader;
  readonly samples: Samples;
}

/** An example whose input has been gathered. */
interface Example {
  readonly place: number;
  readonly index: number;
  readonly target: Float32Array;
  readonly weight: number;
  readonly id: string;
}

async function readExample(
  { model, samples }: Reading,
  inputs: Gathering,
  index: number,
  place: number,
): Promise<Example | Unreadable> {
  let sample: Sample;
  try {
    sample = assertSample(await samples.read(index), index);
  } catch (error) {
    return unreadable(`example ${String(index)}`, error);
  }
  const { id } = sample;
  const target = encodeTargets(model, sample.target, id);
  const weight = checkWeight(sample);
  try {
    await inputs.add(place, sample.input, id);
    return { place, index, target, weight, id };
  } catch (error) {
    return unreadable(id, error);
  }
}

/** Programs without types may read an input where an example is expected. */
function assertSample(sample: Sample, index: number): Sample {
  const given: unknown = sample;
  if (isObject(given) && 'input' in given && 'target' in given && 'id' in given) return sample;
  throw invalidOption(`samples.read(${String(index)}) to give { input, target, id }`, given);
}

function checkWeight({ weight = 1, id }: Sample): number {
  if (Number.isFinite(weight) && weight >= 0) return weight;
  const text = `expected a finite weight of at least 0, got ${String(weight)} for ${id}.`;
  throw new TransferKitError('INVALID_OPTION', text, { id, weight });
}

/** Reports an example that could not be read; errors with another cause are raised again. */
function unreadable(id: string, error: unknown): Unreadable {
  if (isTransferKitError(error) && error.code !== 'UNREADABLE' && error.code !== 'NOT_FOUND') throw error;
  return { id, reason: reasonOf(error) };
}
