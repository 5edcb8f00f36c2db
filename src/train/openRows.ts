// The rows of a segment: features of the frozen front, computed once, or examples that are read for every batch.
import type { Samples } from '../core/types.ts';
import { viewsOf, type Examples, type ExampleSource } from './examples.ts';
import type { RowsReport, Run, Skipped } from './loopPlan.ts';
import { prepareFront, type PreparedNetwork } from './network.ts';
import { startPace } from './pace.ts';
import { streamExamples } from './streamExamples.ts';

/** Samples to train and validate on. */
export interface Parts {
  readonly train: Samples;
  readonly validation: Samples | undefined;
}

/** Rows that are ready. */
export interface PreparedRows {
  /** Stage at which they enter the network. */
  readonly entry: number;
  /** Undefined when the signal came first. */
  readonly train: Examples | undefined;
  readonly validation: Examples | undefined;
  /** What the log says of them, now. */
  readonly report: RowsReport;
  dispose(): Promise<void>;
}

/**
 * Prepares the rows that enter the network at a stage.
 *
 * @param known - Examples of which it is known that they cannot be read.
 */
export async function openRows(run: Run, parts: Parts, entry: number, known?: Skipped): Promise<PreparedRows> {
  const { options, model, network } = run;
  const front = await prepareFront(model, entry);
  const opened: Examples[] = [];
  const dispose = async () => {
    for (const examples of opened) await examples.dispose();
    front.dispose();
  };
  try {
    const cached = options.cache !== undefined && entry > 0;
    const [train, validation] = cached
      ? await cacheRows(run, parts, front, entry, opened)
      : streamRows(run, parts, front, entry, known);
    if (cached) front.dispose();
    const stage = cached && train !== undefined ? network.stages[entry - 1] : undefined;
    return {
      entry,
      train,
      validation,
      get report() {
        return {
          examples: train?.readable ?? 0,
          skipped: [...(train?.skipped ?? []), ...(validation?.skipped ?? [])],
          ...(front.unfolded.length === 0 ? {} : { unfolded: front.unfolded }),
          ...(stage === undefined ? {} : { cachedUpTo: stage.name }),
        };
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The rows of one segment after the other. */
export interface SegmentRows {
  /** Those at hand; undefined before the first. */
  readonly current: PreparedRows | undefined;
  /** Rows that enter the network at a stage: those at hand where they do. */
  enterAt(entry: number): Promise<PreparedRows>;
  dispose(): Promise<void>;
}

/** Prepares rows for each segment, and keeps them while the frozen front stays the same. */
export function rowsOfSegments(run: Run, parts: Parts, known: Skipped): SegmentRows {
  let current: PreparedRows | undefined;
  const dispose = async () => {
    await current?.dispose();
    current = undefined;
  };
  return {
    get current() {
      return current;
    },
    async enterAt(entry) {
      if (current?.entry === entry) return current;
      await dispose();
      return (current = await openRows(run, parts, entry, known));
    },
    dispose,
  };
}

type Both = readonly [train: Examples | undefined, validation: Examples | undefined];

function streamRows(
  run: Run,
  { train, validation }: Parts,
  front: PreparedNetwork,
  entry: number,
  known: Skipped | undefined,
): Both {
  const { augment } = run.options;
  return [
    streamExamples({ ...sourceOf(run, front, train), augment }, entry, known?.train),
    validation && streamExamples(sourceOf(run, front, validation), entry, known?.validation),
  ];
}

/** Features of everything, `opened` one by one; nothing when the signal came first. */
async function cacheRows(
  run: Run,
  { train, validation }: Parts,
  front: PreparedNetwork,
  entry: number,
  opened: Examples[],
): Promise<Both> {
  const { cache: settled, augment, onProgress } = run.options;
  if (settled === undefined) return [undefined, undefined];
  const [{ openCache }, { cacheFeatures }] = await Promise.all([
    import('./featureStore.ts'),
    import('./cacheFeatures.ts'),
  ]);
  const cache = await openCache(settled);
  const source = { ...sourceOf(run, front, train), augment };
  const passes = viewsOf(source) * train.size + (validation?.size ?? 0);
  const pace = startPace('features', passes, onProgress);
  const trainRows = await cacheFeatures(source, entry, cache, pace);
  if (trainRows === undefined) return [undefined, undefined];
  opened.push(trainRows);
  if (validation === undefined) return [trainRows, undefined];
  const validationRows = await cacheFeatures(sourceOf(run, front, validation), entry, cache, pace);
  if (validationRows === undefined) return [undefined, undefined];
  opened.push(validationRows);
  return [trainRows, validationRows];
}

function sourceOf({ verb, model, options }: Run, network: PreparedNetwork, samples: Samples): ExampleSource {
  const { batchSize, signal } = options;
  return { verb, model, network, samples, batchSize, signal, augment: undefined };
}
