// Reads and preprocesses raw examples anew for each batch.
import { dispose } from '@tensorflow/tfjs-core';
import type { Unreadable } from '../core/types.ts';
import { asTensors, noneReadable, readAll, viewIn, viewOf, type Examples, type ExampleSource } from './examples.ts';
import { inSlices } from './inSlices.ts';
import { assertReadable, batchReader } from '../data/reading/readBatch.ts';

/**
 * Reads examples on demand, and runs the first `entry` stages.
 *
 * @param known - Examples that are known to be unreadable.
 */
export function streamExamples(source: ExampleSource, entry: number, known: readonly Unreadable[] = []): Examples {
  const { model, network, samples } = source;
  const skipped = new Map(known.map((each) => [each.id, each]));
  const readBatch = batchReader(model, samples);
  let reported: Promise<void> | undefined;
  return {
    size: samples.size,
    entry,
    get skipped() {
      return [...skipped.values()];
    },
    get readable() {
      return samples.size - skipped.size;
    },
    async batch(rows, epoch) {
      const batch = await readBatch(rows);
      const { targets, weights, ids, unreadable } = batch;
      for (const each of unreadable) skipped.set(each.id, each);
      try {
        if (unreadable.length > 0 && samples.onUnreadable === 'error') await (reported ??= assertAllReadable(source));
        // The full check found nothing, so the fault was temporary. Report the examples of this batch.
        assertReadable(samples, unreadable);
        if (skipped.size === samples.size) throw noneReadable(samples);
        const input = await viewOf(source, batch, viewIn(source, epoch));
        if (input === undefined) return undefined;
        const features =
          entry === 0 ? input : await inSlices(network, input, (part) => network.infer(part, { to: entry }));
        return { input: features, ...asTensors(model, targets, weights), ids };
      } finally {
        dispose(batch.input);
      }
    },
    dispose: () => Promise.resolve(),
  };
}

/** Reads every example, so that the error lists all unreadable ones. */
async function assertAllReadable(source: ExampleSource): Promise<void> {
  const found: Unreadable[] = [];
  for await (const { input, unreadable } of readAll(source)) {
    dispose(input);
    found.push(...unreadable);
  }
  assertReadable(source.samples, found);
}
