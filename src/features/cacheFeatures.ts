// Computes the features of a network's frozen prefix once for each example.
import { dispose, getBackend, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../core/errors.ts';
import type { AnyModel } from '../model/model.ts';
import type { Unreadable } from '../core/types.ts';
import { asTensors, noneReadable, readAll, viewOf, type Examples, type ExampleSource } from './examples.ts';
import { inSlices } from './inSlices.ts';
import { FeatureStore, type Features, type OpenCache } from './featureStore.ts';
import type { Network } from '../model/network.ts';
import type { Pace } from '../core/pace.ts';
import { assertReadable, type Batch } from '../data/reading/readBatch.ts';
import { targetSize } from '../model/headTargets.ts';
import { valuesInPlace } from '../engines/kernels/valuesInPlace.ts';

/** Settings of a feature cache. */
export interface Keeping {
  readonly cache: OpenCache;
  /** Number of views of each example. */
  readonly views: number;
  readonly pace: Pace;
}

/**
 * Runs the first `entry` stages once for each example, or for each of its views, and stores their outputs. The next
 * batches are read while the network works on the current one.
 *
 * @returns Undefined if the signal stopped it.
 * @throws TransferKitError `UNREADABLE` with the whole list, `NOT_FINITE`, `OUT_OF_RANGE`, `NO_EXAMPLES`,
 * `SAVE_FAILED`, and the errors of reading.
 */
export async function cacheFeatures(
  source: ExampleSource,
  entry: number,
  keeping: Keeping,
): Promise<Examples | undefined> {
  const { model, samples } = source;
  const { cache, views } = keeping;
  const store = new FeatureStore({ cache, views, examples: samples.size, targets: targetSize(model) });
  try {
    const skipped = await fill(store, source, entry, keeping);
    if (skipped !== undefined) return keptExamples(store, { model, entry, skipped, views });
  } catch (error) {
    await store.dispose();
    throw error;
  }
  await store.dispose();
  return undefined;
}

/** Examples that could not be read. Undefined if the signal stopped it. */
async function fill(
  store: FeatureStore,
  source: ExampleSource,
  entry: number,
  keeping: Keeping,
): Promise<Unreadable[] | undefined> {
  const { samples, signal } = source;
  const skipped: Unreadable[] = [];
  for await (const batch of readAll(source)) {
    try {
      if (signal?.aborted === true) return undefined;
      skipped.push(...batch.unreadable);
      await addBatch(store, source, entry, keeping, batch);
    } finally {
      dispose(batch.input);
    }
  }
  assertReadable(samples, skipped);
  if (store.size === 0) throw noneReadable(samples);
  return skipped;
}

async function addBatch(
  store: FeatureStore,
  source: ExampleSource,
  entry: number,
  { views, pace }: Keeping,
  batch: Batch,
): Promise<void> {
  for (let view = 0; view < views; view++) {
    const input = await viewOf(source, batch, view);
    if (input !== undefined) {
      await extract(source.network, entry, input, (features) => {
        store.put(features, view, batch);
      });
    }
    await pace.advance(batch.ids.length + batch.unreadable.length);
  }
  await store.commit(batch);
}

/**
 * Runs the first stages on an input, disposes of it, and passes the outputs to a callback. The values are valid during
 * the call only.
 */
async function extract(
  network: Network,
  entry: number,
  input: Tensor,
  take: (features: Features) => void,
): Promise<void> {
  const features = await inSlices(network, input, (part) => network.infer(part, { to: entry }));
  try {
    const values = valuesInPlace(features) ?? (await features.data());
    if (!(values instanceof Float32Array)) throw internalError(`features are ${features.dtype}`);
    take({ values, shape: features.shape.slice(1) });
  } finally {
    dispose(features);
  }
}

interface Kept {
  readonly model: AnyModel;
  readonly entry: number;
  readonly skipped: readonly Unreadable[];
  readonly views: number;
}

function keptExamples(store: FeatureStore, { model, entry, skipped, views }: Kept): Examples {
  return {
    size: store.size,
    entry,
    skipped,
    readable: store.size,
    async batch(rows, epoch) {
      const stored = await store.read(rows, epoch % views);
      const { values, shape, targets, weights, ids } = stored;
      const input = tensor(values, [rows.length, ...shape]);
      // A tensor on wasm copies its values when it is created. Other backends may go on using the array.
      if (getBackend() === 'wasm') store.giveBack(stored);
      return { input, ...asTensors(model, targets, weights), ids };
    },
    dispose: () => store.dispose(),
  };
}
