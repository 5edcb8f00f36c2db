// Raw examples, read and preprocessed for each batch.
import { dispose } from '@tensorflow/tfjs-core';
import type { Unreadable } from '../core/types.ts';
import { asTensors, noneReadable, readAll, viewOf, type Examples, type ExampleSource } from './examples.ts';
import { assertReadable, batchReader } from './readBatch.ts';

/** Reads examples when they are asked for. Each epoch sees a change of its own. */
export function streamExamples(source: ExampleSource): Examples {
  const { verb, model, samples } = source;
  const skipped = new Map<string, Unreadable>();
  const readBatch = batchReader(verb, model, samples);
  let reported: Promise<void> | undefined;
  return {
    size: samples.size,
    entry: 0,
    get skipped() {
      return [...skipped.values()];
    },
    async batch(rows, epoch) {
      const batch = await readBatch(rows);
      const { targets, weights, ids, unreadable } = batch;
      for (const each of unreadable) skipped.set(each.id, each);
      try {
        if (unreadable.length > 0 && samples.onUnreadable === 'error') await (reported ??= assertAllReadable(source));
        if (skipped.size === samples.size) throw noneReadable(verb, samples);
        const input = await viewOf(source, batch, epoch);
        return input && { input, ...asTensors(model, targets, weights), ids };
      } finally {
        dispose(batch.input);
      }
    },
    dispose: () => Promise.resolve(),
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
