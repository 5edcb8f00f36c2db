// The examples of a training run as the loop takes them: rows that enter the network at a certain stage. Either features
// that were computed once (cached) or raw examples that are read anew for every batch (streamed).
import { dispose, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { Samples, TransferModel, Unreadable } from '../core/types.ts';
import { runAndFree, type Network } from './network.ts';
import type { Pace } from './pace.ts';
import { allInBatches } from './readAhead.ts';
import { assertEqualShapes, assertReadable, readBatch, readBatches, type Batch } from './readBatch.ts';
import { targetSize } from './targets.ts';

/** Rows ready for the network. */
export interface Examples {
  readonly size: number;
  /** Stage at which the rows enter. */
  readonly entry: number;
  readonly skipped: readonly Unreadable[];
  /** Some rows; the caller owns the tensors. Undefined when none could be read. */
  batch(rows: readonly number[]): Promise<Rows | undefined>;
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
  readonly model: TransferModel;
  readonly network: Network;
  readonly samples: Samples;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

/** Raw examples, read and preprocessed for each batch. */
export function streamExamples(source: ExampleSource): Examples {
  const { verb, model, samples } = source;
  const skipped = new Map<string, Unreadable>();
  let reported: Promise<void> | undefined;
  return {
    size: samples.size,
    entry: 0,
    get skipped() {
      return [...skipped.values()];
    },
    async batch(rows) {
      const { input, targets, weights, ids, unreadable } = await readBatch(verb, model, samples, rows);
      for (const each of unreadable) skipped.set(each.id, each);
      try {
        if (unreadable.length > 0 && samples.onUnreadable === 'error') await (reported ??= assertAllReadable(source));
        if (skipped.size === samples.size) throw noneReadable(verb, samples);
      } catch (error) {
        dispose(input);
        throw error;
      }
      if (input === undefined) return undefined;
      return { input, ...asTensors(model, targets, weights), ids };
    },
  };
}

/**
 * Runs the first `entry` stages once for each example and keeps what they give. The next batches are read while the
 * network works on this one.
 *
 * @returns Undefined when the signal stopped it.
 * @throws TransferKitError `UNREADABLE` with the whole list, `NOT_FINITE`, `NO_EXAMPLES`, and what reading raises.
 */
export async function cacheFeatures(source: ExampleSource, entry: number, pace: Pace): Promise<Examples | undefined> {
  const { verb, model, samples, signal } = source;
  const store = new FeatureStore(samples.size);
  const skipped: Unreadable[] = [];
  for await (const batch of readAll(source)) {
    if (signal?.aborted === true) {
      dispose(batch.input);
      return undefined;
    }
    skipped.push(...batch.unreadable);
    await extract(source, entry, batch, store);
    await pace.advance(batch.ids.length + batch.unreadable.length);
  }
  assertReadable(verb, samples, skipped);
  if (store.size === 0) throw noneReadable(verb, samples);
  return {
    size: store.size,
    entry,
    skipped,
    batch: (rows) => Promise.resolve(store.rows(model, rows)),
  };
}

/** Reads every example, so that the error lists all that cannot be read. */
async function assertAllReadable(source: ExampleSource): Promise<void> {
  const found: Unreadable[] = [];
  for await (const { input, unreadable } of readAll(source)) {
    dispose(input);
    found.push(...unreadable);
  }
  assertReadable(source.verb, source.samples, found);
}

function readAll({ verb, model, samples, batchSize }: ExampleSource): AsyncIterable<Batch> {
  return readBatches(verb, model, samples, allInBatches(samples.size, batchSize));
}

async function extract(
  { verb, network }: ExampleSource,
  entry: number,
  batch: Batch,
  store: FeatureStore,
): Promise<void> {
  if (batch.input === undefined) return;
  const features = runAndFree(network, batch.input, { to: entry });
  try {
    const values = await features.data();
    if (!(values instanceof Float32Array)) throw new TypeError(`features are ${features.dtype}`);
    store.append(verb, values, features.shape.slice(1), batch);
  } finally {
    dispose(features);
  }
}

/** Features of all examples in one block of plain memory. */
class FeatureStore {
  size = 0;
  private values = new Float32Array(0);
  private shape: readonly number[] = [];
  private readonly targets: Float32Array[] = [];
  private readonly weights: number[] = [];
  private readonly ids: string[] = [];

  constructor(private readonly capacity: number) {}

  append(verb: string, values: Float32Array, shape: readonly number[], { targets, weights, ids }: Batch): void {
    const width = values.length / ids.length;
    if (this.size === 0) {
      this.values = new Float32Array(this.capacity * width);
      this.shape = shape;
    }
    assertEqualShapes(verb, [this.shape, shape]);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw notFinite(verb, ids[Math.floor(bad / width)] ?? '');
    this.values.set(values, this.size * width);
    this.size += ids.length;
    this.targets.push(...targets);
    this.weights.push(...weights);
    this.ids.push(...ids);
  }

  rows(model: TransferModel, rows: readonly number[]): Rows {
    const width = this.values.length / this.capacity;
    const gathered = new Float32Array(rows.length * width);
    rows.forEach((row, place) => {
      gathered.set(this.values.subarray(row * width, (row + 1) * width), place * width);
    });
    const targets = rows.flatMap((row) => this.targets[row] ?? []);
    const weights = rows.map((row) => this.weights[row] ?? 1);
    return {
      input: tensor(gathered, [rows.length, ...this.shape]),
      ...asTensors(model, targets, weights),
      ids: rows.map((row) => this.ids[row] ?? ''),
    };
  }
}

function asTensors(model: TransferModel, targetRows: readonly Float32Array[], weightRows: readonly number[]) {
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

function noneReadable(verb: string, samples: Samples): TransferKitError {
  const text = `${verb}: expected examples that can be read, got none among ${String(samples.size)}.`;
  return new TransferKitError('NO_EXAMPLES', text, { size: samples.size });
}

function notFinite(verb: string, id: string): TransferKitError {
  const text = `${verb}: expected finite features, got NaN or infinity for ${id}. Check that example and its preprocessing.`;
  return new TransferKitError('NOT_FINITE', text, { id });
}
