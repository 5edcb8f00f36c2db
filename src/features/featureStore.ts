// Stores the features, targets and weights of all examples of a training run. Written batch by batch, read in any
// order.
import { platform } from '#platform';
import { internalError, TransferKitError } from '../core/errors.ts';
import type { RowStore } from '../core/rowStore.ts';
import { sizeOf } from '../core/shapes.ts';
import { largestHalf } from '../core/float16.ts';
import type { SettledCache } from './cacheOptions.ts';
import { notFinite } from '../core/notFinite.ts';
import { assertEqualShapes } from '../data/reading/preprocess.ts';
import type { Batch } from '../data/reading/readBatch.ts';
import { rowLayout, type RowLayout } from './rowLayout.ts';
import { spillingRows, type MemoryBudget } from './spillingRows.ts';

/** Outputs of the network for a batch. */
export interface Features {
  /** [b, …] */
  readonly values: Float32Array;
  /** Shape for one example. */
  readonly shape: readonly number[];
}

/** Examples that were read from a store. */
export interface StoredExamples extends Features {
  readonly targets: readonly Float32Array[];
  readonly weights: readonly number[];
  readonly ids: readonly string[];
}

/** Options of a cache, with the memory budget that its stores share. */
export interface OpenCache extends SettledCache {
  readonly budget: MemoryBudget;
}

/** Contents of a store. */
export interface FeatureStorePlan {
  readonly cache: OpenCache;
  /** Limit on the number of examples. */
  readonly examples: number;
  /** Number of rows for each example. */
  readonly views: number;
  /** Number of values in a target. */
  readonly targets: number;
}

/** Sizes that are known after the first batch. */
interface Kept {
  /** Shape of one example's features. */
  readonly shape: readonly number[];
  readonly layout: RowLayout;
  readonly rows: RowStore;
}

/** Removes files of runs that crashed, and measures the free memory. */
export async function openCache(cache: SettledCache): Promise<OpenCache> {
  // Files that cannot be removed now are left to the next run.
  await platform.clearScratch(cache.directory).catch(() => undefined);
  return { ...cache, budget: { left: cache.memory ?? platform.freeMemory() / 4 } };
}

/** Stores a number of views of the features of each example. */
export class FeatureStore {
  private kept: Kept | undefined;
  /** Rows of the current batch. */
  private batch = new Uint8Array(0);
  /** Reused arrays. New memory for every batch would become garbage faster than it is collected. */
  private readonly spare: Float32Array[] = [];
  private readonly weights: number[] = [];
  private readonly ids: string[] = [];

  constructor(private readonly plan: FeatureStorePlan) {}

  /** Number of stored examples. */
  get size(): number {
    return this.ids.length;
  }

  /**
   * Writes one view of the features of a batch. After all views call `commit`.
   *
   * @throws TransferKitError `NOT_FINITE`, `OUT_OF_RANGE` (for float16), `WRONG_SHAPE`.
   */
  put({ values, shape }: Features, view: number, { targets, ids }: Batch): void {
    const { views } = this.plan;
    const { layout } = (this.kept ??= this.open(shape));
    assertEqualShapes([this.kept.shape, shape]);
    const width = sizeOf(shape);
    this.assertFits(values, width, ids);
    const bytes = this.bytesOf(ids.length * views * layout.rowBytes);
    targets.forEach((target, example) => {
      const start = (example * views + view) * layout.rowBytes;
      const features = values.subarray(example * width, (example + 1) * width);
      layout.write(bytes.subarray(start, start + layout.rowBytes), features, target);
    });
  }

  /**
   * Adds the examples of a batch, after all of their views were written.
   *
   * @throws TransferKitError `SAVE_FAILED`.
   */
  async commit({ weights, ids }: Batch): Promise<void> {
    if (this.kept === undefined) return;
    const { layout, rows } = this.kept;
    await rows.append(this.bytesOf(ids.length * this.plan.views * layout.rowBytes));
    this.weights.push(...weights);
    this.ids.push(...ids);
  }

  /** Reads one view of some examples. */
  async read(examples: readonly number[], view: number): Promise<StoredExamples> {
    const { kept, plan } = this;
    if (kept === undefined) throw internalError('nothing was kept');
    const width = sizeOf(kept.shape);
    const values = this.takeBlock(examples.length * width);
    const targets = new Float32Array(examples.length * plan.targets);
    const part = (all: Float32Array, size: number, place: number) => all.subarray(place * size, (place + 1) * size);
    await kept.rows.read(
      examples.map((example) => example * plan.views + view),
      (place, row) => {
        kept.layout.read(row, part(values, width, place), part(targets, plan.targets, place));
      },
    );
    return {
      values,
      shape: kept.shape,
      targets: examples.map((_, place) => part(targets, plan.targets, place)),
      weights: examples.map((example) => this.weights[example] ?? 1),
      ids: examples.map((example) => this.ids[example] ?? ''),
    };
  }

  /** Releases arrays that were read, so that a later read may overwrite them. */
  giveBack({ values }: StoredExamples): void {
    this.spare.push(new Float32Array(values.buffer));
  }

  async dispose(): Promise<void> {
    await this.kept?.rows.dispose();
  }

  private takeBlock(length: number): Float32Array {
    const block = this.spare.pop();
    return block !== undefined && block.length >= length ? block.subarray(0, length) : new Float32Array(length);
  }

  private bytesOf(length: number): Uint8Array {
    if (this.batch.length < length) this.batch = new Uint8Array(length);
    return this.batch.subarray(0, length);
  }

  private open(shape: readonly number[]): Kept {
    const { cache, examples, views, targets } = this.plan;
    const layout = rowLayout(cache.precision, sizeOf(shape), targets);
    const rows = { rowBytes: layout.rowBytes, rows: examples * views, directory: cache.directory };
    return { shape, layout, rows: spillingRows(rows, cache.budget) };
  }

  private assertFits(values: Float32Array, width: number, ids: readonly string[]): void {
    const { cache } = this.plan;
    const largest = cache.precision === 'float16' ? largestHalf : Number.MAX_VALUE;
    const bad = values.findIndex((value) => !(Math.abs(value) <= largest));
    if (bad < 0) return;
    const id = ids[Math.floor(bad / width)] ?? '';
    const value = values[bad] ?? NaN;
    throw Number.isFinite(value) ? tooLarge(value, id) : notFinite(id);
  }
}

function tooLarge(value: number, id: string): TransferKitError {
  const text =
    `expected features between -${String(largestHalf)} and ${String(largestHalf)}, which float16 holds, got ` +
    `${String(value)} for ${id}. Use cache: { precision: 'float32' }.`;
  return new TransferKitError('OUT_OF_RANGE', text, { id, value, largest: largestHalf });
}
