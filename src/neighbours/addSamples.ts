// Adds samples to a classifier that keeps examples.
import { dispose } from '@tensorflow/tfjs-core';
import { ensureBackend } from '../engines/backends/ensureBackend.ts';
import { TransferKitError } from '../core/errors.ts';
import { layOut } from '../model/headParts.ts';
import type { Progress, Samples, Unreadable } from '../core/types.ts';
import { noneReadable } from '../features/examples.ts';
import { assertWhole } from '../core/optionChecks.ts';
import { shown } from '../core/shown.ts';
import { startPace } from '../core/pace.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { assertReadable, readBatches } from '../data/reading/readBatch.ts';
import { assertSamples } from '../model/checkLabels.ts';
import type { BaseFeatures } from './baseFeatures.ts';
import type { KeptExample } from './exampleMemory.ts';
import { vectorOf } from './separation.ts';

/** Options of `addAll`. */
export interface AddOptions {
  /** Batch size. Default 32. */
  readonly batchSize?: number;
  /** Stops between two batches with the error `ABORTED`. No example is added then. */
  readonly signal?: AbortSignal;
  /**
   * Called after every batch, with the phase `features`, and awaited. If it throws or rejects, `addAll` rejects with
   * that error, and no example is added.
   */
  readonly onProgress?: (progress: Progress) => unknown;
}

/** Result of `addAll`. */
export interface AddedExamples {
  /** Ids of the examples that could be read, in the order of the samples. */
  readonly ids: readonly number[];
  /** Examples that were left out because they could not be read. */
  readonly skipped: readonly Unreadable[];
}

/** Verb, samples and options. */
export interface Addition {
  readonly features: BaseFeatures;
  readonly samples: Samples;
  /** Gives out ids for a number of examples, and returns the first. */
  readonly claim: (count: number) => number;
}

/** Reads samples and computes their features. The result is ready to be kept. */
export async function addSamples(
  { features, samples, claim }: Addition,
  { batchSize = 32, signal, onProgress }: AddOptions,
): Promise<{ readonly examples: readonly KeptExample[]; readonly skipped: readonly Unreadable[] }> {
  assertWhole('batchSize', batchSize, 1);
  assertSamples(samples);
  const labels = Array.from({ length: samples.size }, (_, index) => labelAt(samples, index));
  const first = claim(samples.size);
  await ensureBackend();
  const question = { name: '', task: 'classes' as const, labels: samples.labels, units: samples.labels.length };
  const reader = { base: features.base, head: { parts: layOut([question]) } };
  const examples: KeptExample[] = [];
  const skipped: Unreadable[] = [];
  const pace = await startPace('features', samples.size, onProgress);
  for await (const batch of readBatches(reader, samples, allInBatches(samples.size, batchSize))) {
    const { input, indexes, ids, unreadable } = batch;
    if (signal?.aborted === true) {
      dispose(input);
      throw new TransferKitError('ABORTED', 'was stopped by its signal.', {}, signal.reason);
    }
    skipped.push(...unreadable);
    const rows = input === undefined ? [] : await features.read(input, ids);
    indexes.forEach((index, row) => {
      examples.push({ id: first + index, label: labels[index] ?? '', ...vectorOf(rows[row] ?? new Float32Array(0)) });
    });
    await pace.advance(ids.length + unreadable.length);
  }
  assertReadable(samples, skipped);
  if (examples.length === 0) throw noneReadable(samples);
  return { examples, skipped };
}

function labelAt(samples: Samples, index: number): string {
  const target = samples.target(index);
  const list: readonly unknown[] = Array.isArray(target) ? target : [target];
  const [given, ...more] = list;
  const label = typeof given === 'number' ? samples.labels[given] : given;
  if (typeof label === 'string' && more.length === 0) return label;
  const text =
    `expected one label for each example, got ${shown(target)} for example ${String(index)}. Only classes ` +
    'can be told apart by examples.';
  throw new TransferKitError('INVALID_OPTION', text, { index, target });
}
