// The examples of a training run as the loop takes them: rows that enter the network at a certain stage. Either features
// that were computed once (cacheFeatures) or raw examples that are read anew for every batch (streamExamples).
import { clone, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { AnyModel } from '../model/model.ts';
import type { Samples, Unreadable } from '../core/types.ts';
import type { SettledAugmentation } from '../data/augment/augment.ts';
import type { Network } from '../model/network.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { readBatches, type Batch } from '../data/reading/readBatch.ts';
import { targetSize } from '../model/tasks/headTargets.ts';

/** Rows ready for the network. */
export interface Examples {
  readonly size: number;
  /** Stage at which the rows enter. */
  readonly entry: number;
  readonly skipped: readonly Unreadable[];
  /** Examples that could be read so far. */
  readonly readable: number;
  /**
   * Some rows; the caller owns the tensors. Undefined when none could be read.
   *
   * @param epoch - Decides how their inputs are changed, where they are.
   */
  batch(rows: readonly number[], epoch: number): Promise<Rows | undefined>;
  /** Frees what is kept. Nothing may be under way. */
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

/** What both kinds of examples are made from. */
export interface ExampleSource {
  readonly verb: string;
  readonly model: AnyModel;
  /** Runs what is in front of the rows. */
  readonly network: Network;
  readonly samples: Samples;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  readonly augment: SettledAugmentation | undefined;
}

/** Views of each example that are kept where features are; undefined where every epoch sees others. */
export function viewsOf({ augment }: Pick<ExampleSource, 'augment'>): number | undefined {
  if (augment === undefined) return 1;
  return augment.views === 'fresh' ? undefined : augment.views;
}

/** The view that an epoch sees. */
export function viewIn(source: Pick<ExampleSource, 'augment'>, epoch: number): number {
  return epoch % (viewsOf(source) ?? Infinity);
}

/** All examples in their order, batch by batch; the caller owns the inputs. */
export function readAll({ verb, model, samples, batchSize }: ExampleSource): AsyncIterable<Batch> {
  return readBatches(verb, model, samples, allInBatches(samples.size, batchSize));
}

/** The inputs of a batch as they are to be seen; the caller owns them. Undefined when there are none. */
export async function viewOf(
  { verb, augment }: ExampleSource,
  batch: Batch,
  view: number,
): Promise<Tensor | undefined> {
  const { input, indexes, ids } = batch;
  if (input === undefined) return undefined;
  if (augment === undefined) return clone(input);
  const { augmentInputs } = await import('../data/augment/augment.ts');
  return augmentInputs(verb, augment, { input, indexes, ids }, view);
}

/** Targets and weights of a batch, as the loop takes them. */
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

/** The error about samples of which nothing is left. */
export function noneReadable(verb: string, samples: Samples): TransferKitError {
  const text = `${verb}: expected examples that can be read, got none among ${String(samples.size)}.`;
  return new TransferKitError('NO_EXAMPLES', text, { size: samples.size });
}
