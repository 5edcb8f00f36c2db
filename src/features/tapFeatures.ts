// Features from several places of a base in one pass through the network, pooled at the ends of stages.
import { dispose } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { FoldedPart, Samples, Stage, Unreadable } from '../core/types.ts';
import type { Pace } from '../core/pace.ts';
import { pooledValues } from './poolFeatures.ts';
import { batchesOf } from '../data/reading/readAhead.ts';
import { assertReadable, readBatches, type Batch, type Reader } from '../data/reading/readBatch.ts';

/** How feature maps become vectors for comparison. */
export type TapPooling = 'average' | 'max' | 'both';

/** All kinds of pooling. */
export const tapPoolings: readonly TapPooling[] = ['average', 'max', 'both'];

/** Base, samples and places to tap. */
export interface TapPlan {
  readonly reader: Reader;
  readonly samples: Samples;
  /** Indexes of the examples to read. */
  readonly indexes: readonly number[];
  /** Indexes of the stages whose outputs are stored. */
  readonly taps: ReadonlySet<Stage>;
  readonly pooling: TapPooling;
  readonly batchSize: number;
  /** Raises if the work is to stop. */
  readonly assertWanted: () => void;
}

/** Features of every tap. Row i belongs to the same example in all of them. */
export interface TapFeatures {
  /** Pooled values by stage, [n, width]. */
  readonly features: ReadonlyMap<Stage, Float32Array>;
  /** Index of each example's class. */
  readonly classes: readonly number[];
  readonly weights: readonly number[];
  readonly skipped: readonly Unreadable[];
  /**
   * Seconds per example that each stage took, pooling included. The first batch is only measured if it is the only one.
   */
  readonly seconds: readonly number[];
}

/**
 * Runs the base once on every example, stage by stage, and keeps pooled values in plain memory. The next batches are
 * read while the network works on the current one.
 *
 * @throws TransferKitError `UNREADABLE` with the whole list, `NOT_FINITE`, `NO_EXAMPLES`, and the errors of reading.
 */
export async function tapFeatures(plan: TapPlan, pace: Pace): Promise<TapFeatures> {
  const { samples, indexes, batchSize, reader } = plan;
  const store = new TapStore(plan);
  const skipped: Unreadable[] = [];
  const parts: FoldedPart[] = [];
  try {
    for (const from of reader.base.trunk.stages.keys())
      parts.push(await reader.base.trunk.fold({ from, to: from + 1 }));
    for await (const batch of readBatches(reader, samples, batchesOf(indexes, batchSize))) {
      skipped.push(...batch.unreadable);
      await runBatch(plan, parts, batch, store);
      await pace.advance(batch.ids.length + batch.unreadable.length);
    }
  } finally {
    for (const part of parts) part.dispose();
  }
  assertReadable(samples, skipped);
  if (store.classes.length > 0) return store.finish(skipped);
  const text = `expected examples that can be read, got none among ${String(indexes.length)}.`;
  throw new TransferKitError('NO_EXAMPLES', text, { size: indexes.length });
}

/** Runs the stages on a batch. A feature map is freed after the next stage. */
async function runBatch(
  { reader, taps, pooling, assertWanted }: TapPlan,
  parts: readonly FoldedPart[],
  batch: Batch,
  store: TapStore,
) {
  if (batch.input === undefined) return;
  const { stages } = reader.base.trunk;
  let current = batch.input;
  try {
    store.begin(batch);
    for (const [index, part] of parts.entries()) {
      assertWanted();
      const start = performance.now();
      const output = await part.run(current);
      dispose(current);
      current = output;
      const stage = stages[index];
      if (stage !== undefined && taps.has(stage)) store.put(stage, await pooledValues(current, pooling), batch);
      store.count(index, (performance.now() - start) / 1000);
    }
  } finally {
    dispose(current);
  }
}

/** Pooled values of all examples, in one block of plain memory for each tap. */
class TapStore {
  readonly classes: number[] = [];
  private readonly weights: number[] = [];
  private readonly features = new Map<Stage, Float32Array>();
  private readonly seconds: number[] = [];
  private timed = 0;
  private batches = 0;

  constructor(private readonly plan: TapPlan) {}

  begin({ targets, weights, ids }: Batch): void {
    this.batches++;
    // The first batch is slower, because the backend compiles and allocates.
    if (this.batches === 2) {
      this.seconds.fill(0);
      this.timed = 0;
    }
    this.timed += ids.length;
    this.classes.push(...targets.map((target) => target.indexOf(1)));
    this.weights.push(...weights);
  }

  put(stage: Stage, values: Float32Array, { ids }: Batch): void {
    const { indexes } = this.plan;
    const width = values.length / ids.length;
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw notFinite(stage, ids[Math.floor(bad / width)] ?? '');
    const all = this.features.get(stage) ?? new Float32Array(indexes.length * width);
    this.features.set(stage, all);
    all.set(values, (this.classes.length - ids.length) * width);
  }

  count(index: number, seconds: number): void {
    this.seconds[index] = (this.seconds[index] ?? 0) + seconds;
  }

  finish(skipped: readonly Unreadable[]): TapFeatures {
    const rows = this.classes.length;
    const features = [...this.features].map(([stage, values]): [Stage, Float32Array] => {
      const width = values.length / this.plan.indexes.length;
      return [stage, values.subarray(0, rows * width)];
    });
    const seconds = this.seconds.map((each) => each / this.timed);
    return { features: new Map(features), classes: this.classes, weights: this.weights, skipped, seconds };
  }
}

function notFinite({ name }: Stage, id: string): TransferKitError {
  const text = `expected finite features, got NaN or infinity at '${name}' for ${id}. Check that example and its preprocessing.`;
  return new TransferKitError('NOT_FINITE', text, { id, cut: name });
}
