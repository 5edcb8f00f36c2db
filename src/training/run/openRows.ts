// The rows of a segment: cached features of the frozen prefix, or examples that are read for every batch.
import { namedEngine } from '../../core/engineChoice.ts';
import type { Samples } from '../../core/types.ts';
import { viewsOf, type Examples, type ExampleSource } from '../../features/examples.ts';
import type { KnownRows, RowsReport, Run, Skipped } from '../state/plan.ts';
import { prepareFront } from '../../model/inference.ts';
import type { PreparedNetwork } from '../../model/network.ts';
import { startPace } from '../../core/pace.ts';
import { stopOf } from './timeLimit.ts';
import { streamExamples } from '../../features/streamExamples.ts';

/** Rows that are ready. */
export interface PreparedRows {
  /** Stage at which they enter the network. */
  readonly entry: number;
  /** Undefined if the signal or the time limit stopped the preparation. */
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
export async function openRows(run: Run, entry: number, known?: Skipped): Promise<PreparedRows> {
  const { options, model, network, samples } = run;
  const engine = entry === 0 ? {} : namedEngine();
  const front = await prepareFront(model, entry);
  const kept: Examples[] = [];
  const dispose = async () => {
    for (const examples of kept) await examples.dispose();
    front.dispose();
  };
  try {
    const views = viewsOf(options);
    const keep = entry > 0 ? await keeperOf(run, entry, kept) : undefined;
    // Only examples of training are augmented.
    const source = sourceOf(run, front, samples.train, options.augment);
    const held = samples.validation && sourceOf(run, front, samples.validation, undefined);
    const isCached = keep !== undefined && views !== undefined;
    const train = isCached ? await keep(source, views) : streamExamples(source, entry, known?.train);
    const validation =
      train && held && (keep === undefined ? streamExamples(held, entry, known?.validation) : await keep(held, 1));
    if (isCached) front.dispose();
    const isWhole = train !== undefined && (held === undefined || validation !== undefined);
    const rows = isWhole ? { train, validation } : { train: undefined, validation: undefined };
    const stage = isCached && isWhole ? network.stages[entry - 1] : undefined;
    return {
      entry,
      ...rows,
      get report() {
        return {
          examples: rows.train?.readable ?? 0,
          skipped: [...(rows.train?.skipped ?? []), ...(rows.validation?.skipped ?? [])],
          ...(front.unfolded.length === 0 ? {} : { unfolded: front.unfolded }),
          ...(front.leftToOwn.length === 0 ? {} : { leftToOwn: front.leftToOwn }),
          ...engine,
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

/** Rows for all segments of a run. */
export interface SegmentRows {
  /** Facts about the examples of the latest training, in this process or the previous one. */
  readonly known: KnownRows;
  /** Rows that enter the network at a stage; reuses the present rows if they enter there. */
  enterAt(entry: number): Promise<PreparedRows>;
  dispose(): Promise<void>;
}

/** Prepares rows for each segment, and reuses them while the frozen prefix stays the same. */
export function rowsOfSegments(run: Run, start: KnownRows): SegmentRows {
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
      return (current = await openRows(run, entry, start.skipped));
    },
    dispose,
  };
}

/** Caches features of examples; nothing if the signal or the time limit stopped it. */
type Keep = (source: ExampleSource, views: number) => Promise<Examples | undefined>;

/**
 * A function that keeps features in one cache, with progress over all of them. Undefined if no row is read twice.
 *
 * @param kept - Receives the rows, which must be disposed of.
 */
async function keeperOf(run: Run, entry: number, kept: Examples[]): Promise<Keep | undefined> {
  const { options, samples } = run;
  const passes = (viewsOf(options) ?? 0) * samples.train.size + (samples.validation?.size ?? 0);
  if (options.cache === undefined || passes === 0) return undefined;
  const [{ openCache }, { cacheFeatures }] = await Promise.all([
    import('../../features/featureStore.ts'),
    import('../../features/cacheFeatures.ts'),
  ]);
  const pace = await startPace('features', passes, options.onProgress, { augmenting: options.augment?.stopwatch });
  const cache = await openCache(options.cache);
  return async (source, views) => {
    const rows = await cacheFeatures(source, entry, { cache, views, pace });
    if (rows !== undefined) kept.push(rows);
    return rows;
  };
}

function sourceOf(
  run: Run,
  network: PreparedNetwork,
  samples: Samples,
  augment: ExampleSource['augment'],
): ExampleSource {
  const { model, options } = run;
  return { model, network, samples, batchSize: options.batchSize, signal: stopOf(run), augment };
}
