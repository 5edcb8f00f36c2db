// Features of the frozen front of a network, computed once for each example.
import { dispose, getBackend, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../core/errors.ts';
import type { AnyModel } from '../model/model.ts';
import type { Unreadable } from '../core/types.ts';
import { asTensors, noneReadable, readAll, viewOf, type Examples, type ExampleSource } from './examples.ts';
import { FeatureStore, type Features, type OpenCache } from './featureStore.ts';
import { runAndFree, type Network } from '../model/network.ts';
import type { Pace } from '../core/pace.ts';
import { assertReadable, type Batch } from '../data/reading/readBatch.ts';
import { targetSize } from '../model/tasks/headTargets.ts';
import { valuesInPlace } from '../engines/kernels/valuesInPlace.ts';

/** How features are kept. */
export interface Keeping {
  readonly cache: OpenCache;
  /** Views of each example. */
  readonly views: number;
  readonly pace: Pace;
}

/**
 * Runs the first `entry` stages once for each example, or for each of its views, and keeps what they give. The next
 * batches are read while the network works on this one.
 *
 * @returns Undefined when the signal stopped it.
 * @throws TransferKitError `UNREADABLE` with the whole list, `NOT_FINITE`, `OUT_OF_RANGE`, `NO_EXAMPLES`, `SAVE_FAILED`, and
 * what reading raises.
 */
export async function cacheFeatures(
  source: ExampleSource,
  entry: number,
  keeping: Keeping,
): Promise<Examples | undefined> {
  const { verb, model, samples } = source;
  const { cache, views } = keeping;
  const store = new FeatureStore({ verb, cache, views, examples: samples.size, targets: targetSize(model) });
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

/** What could not be read; undefined when the signal stopped it. */
async function fill(
  store: FeatureStore,
  source: ExampleSource,
  entry: number,
  keeping: Keeping,
): Promise<Unreadable[] | undefined> {
  const { verb, samples, signal } = source;
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
  assertReadable(verb, samples, skipped);
  if (store.size === 0) throw noneReadable(verb, samples);
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

/** Hands over what the first stages give for an input, which is freed. The values are valid during the call only. */
async function extract(
  network: Network,
  entry: number,
  input: Tensor,
  take: (features: Features) => void,
): Promise<void> {
  const features = runAndFree(network, input, { to: entry });
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
      // A tensor on wasm has a copy of its values from the start; on other backends it may go on using them.
      if (getBackend() === 'wasm') store.giveBack(stored);
      return { input, ...asTensors(model, targets, weights), ids };
    },
    dispose: () => store.dispose(),
  };
}
