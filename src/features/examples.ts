// The examples of a training run: rows that enter the network at a given stage. They are features that were computed
// once (cacheFeatures), or raw examples that are read again for every batch (streamExamples).
import { clone, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { AnyModel } from '../model/model.ts';
import type { Samples, Unreadable } from '../core/types.ts';
import type { SettledAugmentation } from '../data/augment/augment.ts';
import type { Network } from '../model/network.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { readBatches, type Batch } from '../data/reading/readBatch.ts';
import { targetSize } from '../model/headTargets.ts';

/** Rows of examples as input of a stage of the network. */
export interface Examples {
  readonly size: number;
  /** Index of the stage that the rows enter. */
  readonly entry: number;
  readonly skipped: readonly Unreadable[];
  /** Number of examples that could be read so far. */
  readonly readable: number;
  /**
   * Reads some rows. The caller owns the tensors. Undefined if no row could be read.
   *
   * @param epoch - Decides which augmentation or view of the inputs is used.
   */
  batch(rows: readonly number[], epoch: number): Promise<Rows | undefined>;
  /** Frees stored features. No read may be running. */
  dispose(): Promise<void>;
}

export interface Rows {
  readonly input: Tensor;
  /** [b, units] */
  readonly targets: Tensor;
  /** [b] */
  readonly weights: Tensor;
  readonly targetRows: readonly Float32Array[];
  readonly weightRows: readonly number[];
  readonly ids: readonly string[];
}

/** Options of both kinds of examples. */
export interface ExampleSource {
  readonly model: AnyModel;
  /** Runs the stages before the one that the rows enter. */
  readonly network: Network;
  readonly samples: Samples;
  readonly batchSize: number;
  readonly signal: Pick<AbortSignal, 'aborted'> | undefined;
  readonly augment: SettledAugmentation | undefined;
}

/**
 * Number of views of each example that are stored with cached features. Undefined if every epoch draws a new
 * augmentation.
 */
export function viewsOf({ augment }: Pick<ExampleSource, 'augment'>): number | undefined {
  if (augment === undefined) return 1;
  return augment.views === 'fresh' ? undefined : augment.views;
}

/** Index of the view that an epoch uses. */
export function viewIn(source: Pick<ExampleSource, 'augment'>, epoch: number): number {
  return epoch % (viewsOf(source) ?? Infinity);
}

/** Reads all examples in order, batch by batch. The caller owns the inputs. */
export function readAll({ model, samples, batchSize }: ExampleSource): AsyncIterable<Batch> {
  return readBatches(model, samples, allInBatches(samples.size, batchSize));
}

/** The augmented inputs of a batch. The caller owns them. Undefined if the batch is empty. */
export async function viewOf({ augment }: ExampleSource, batch: Batch, view: number): Promise<Tensor | undefined> {
  const { input, indexes, ids } = batch;
  if (input === undefined) return undefined;
  if (augment === undefined || (augment.startsUnchanged === true && view === 0)) return clone(input);
  const { augmentInputs } = await import('../data/augment/augment.ts');
  return augmentInputs(augment, { input, indexes, ids }, view);
}

/** Targets and weights of a batch as tensors. */
export function asTensors(
  model: AnyModel,
  targetRows: readonly Float32Array[],
  weightRows: readonly number[],
): Omit<Rows, 'input' | 'ids'> {
  const width = targetSize(model);
  const values = new Float32Array(targetRows.length * width);
  targetRows.forEach((row, place) => {
    values.set(row, place * width);
  });
  return {
    targets: tensor(values, [targetRows.length, width]),
    weights: tensor(Float32Array.from(weightRows)),
    targetRows,
    weightRows,
  };
}

/** The error about samples of which no example could be read. */
export function noneReadable(samples: Samples): TransferKitError {
  const text = `expected examples that can be read, got none among ${String(samples.size)}.`;
  return new TransferKitError('NO_EXAMPLES', text, { size: samples.size });
}
