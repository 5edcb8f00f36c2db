// The rows of a segment: cached features of the frozen prefix, or examples that are read for every batch.
import type { Samples } from '../../core/types.ts';
import type { SettledCache } from '../../features/cacheOptions.ts';
import { viewsOf, type Examples, type ExampleSource } from '../../features/examples.ts';
import type { RowsReport, Run, Skipped, Start } from '../state/plan.ts';
import { prepareFront, type PreparedNetwork } from '../../model/network.ts';
import { startPace } from '../../core/pace.ts';
import { streamExamples } from '../../features/streamExamples.ts';

/** Samples to train and validate on. */
export interface Parts {
  readonly train: Samples;
  readonly validation: Samples | undefined;
}

/** Rows that are ready. */
export interface PreparedRows {
  /** Stage at which they enter the network. */
  readonly entry: number;
  /** Undefined if the signal stopped the preparation. */
  readonly train: Examples | undefined;
  readonly validation: Examples | undefined;
  /** Facts about the rows for the log, so far. */
  readonly report: RowsReport;
  dispose(): Promise<void>;
}

/**
 * Prepares the rows that enter the network at a stage.
 *
 * @param known - Examples that are known to be unreadable.
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
    const rows = { run, parts, front, entry, opened, known };
    const cache = entry > 0 ? options.cache : undefined;
    const { train, validation } = cache === undefined ? streamRows(rows) : await keepRows(rows, cache);
    const cached = cache !== undefined && viewsOf(options) !== undefined;
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

/** Known facts about examples. */
type KnownRows = Pick<Start, 'skipped' | 'report'>;

/** Rows for all segments of a run. */
export interface SegmentRows {
  /** Facts about the examples of the latest training, in this process or the previous one. */
  readonly known: KnownRows;
  /** Rows that enter the network at a stage; reuses the present rows if they enter there. */
  enterAt(entry: number): Promise<PreparedRows>;
  dispose(): Promise<void>;
}

/** Prepares rows for each segment, and reuses them while the frozen prefix stays the same. */
export function rowsOfSegments(run: Run, parts: Parts, start: KnownRows): SegmentRows {
  let current: PreparedRows | undefined;
  let before = start;
  const known = (): KnownRows => {
    if (current?.train === undefined) return before;
    const { report, train, validation } = current;
    return { report, skipped: { train: train.skipped, validation: validation?.skipped ?? [] } };
  };
  const dispose = async () => {
    await current?.dispose();
    current = undefined;
  };
  return {
    get known() {
      return known();
    },
    async enterAt(entry) {
      if (current?.entry === entry) return current;
      before = known();
      await dispose();
      return (current = await openRows(run, parts, entry, start.skipped));
    },
    dispose,
  };
}

/** Arguments for making rows. */
interface Opening {
  readonly run: Run;
  readonly parts: Parts;
  readonly front: PreparedNetwork;
  readonly entry: number;
  readonly known: Skipped | undefined;
  /** Receives rows that must be disposed of. */
  readonly opened: Examples[];
}

type Both = Pick<PreparedRows, 'train' | 'validation'>;

function streamRows(opening: Opening): Both {
  const { entry, known } = opening;
  const { train, validation } = sourcesOf(opening);
  return {
    train: streamExamples(train, entry, known?.train),
    validation: validation && streamExamples(validation, entry, known?.validation),
  };
}

/** Caches features of rows that every epoch reads again; nothing if the signal stopped it. */
async function keepRows(opening: Opening, settled: SettledCache): Promise<Both> {
  const { run, entry, known } = opening;
  const { train, validation } = sourcesOf(opening);
  const views = viewsOf(run.options);
  const passes = (views ?? 0) * train.samples.size + (validation?.samples.size ?? 0);
  const keep = passes === 0 ? undefined : await keeperOf(opening, settled, passes);
  const trainRows = views === undefined ? streamExamples(train, entry, known?.train) : await keep?.(train, views);
  const validationRows = trainRows && validation && (await keep?.(validation, 1));
  const isWhole = trainRows !== undefined && (validation === undefined || validationRows !== undefined);
  return isWhole ? { train: trainRows, validation: validationRows } : { train: undefined, validation: undefined };
}

type Keep = (source: ExampleSource, views: number) => Promise<Examples | undefined>;

/** A function that keeps features in one cache, with progress over all of them. */
async function keeperOf({ run, entry, opened }: Opening, settled: SettledCache, passes: number): Promise<Keep> {
  const [{ openCache }, { cacheFeatures }] = await Promise.all([
    import('../../features/featureStore.ts'),
    import('../../features/cacheFeatures.ts'),
  ]);
  const pace = await startPace('features', passes, run.options.onProgress, {
    augmenting: run.options.augment?.stopwatch,
  });
  const cache = await openCache(settled);
  return async (source, views) => {
    const rows = await cacheFeatures(source, entry, { cache, views, pace });
    if (rows !== undefined) opened.push(rows);
    return rows;
  };
}

/** Sources for training and validation; only those of training are augmented. */
function sourcesOf({ run: { verb, model, options }, parts, front }: Opening) {
  const { batchSize, signal, augment } = options;
  const source = (samples: Samples, changed: ExampleSource['augment']): ExampleSource => {
    return { verb, model, network: front, samples, batchSize, signal, augment: changed };
  };
  return { train: source(parts.train, augment), validation: parts.validation && source(parts.validation, undefined) };
}
