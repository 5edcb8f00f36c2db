// The verb suggestCut: finds the layer of a base with the best features for given samples.
import { nameErrors } from './core/edge.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { whileBaseUsed } from './model/uses.ts';
import { internalError, TransferKitError } from './core/errors.ts';
import { layOut } from './model/headParts.ts';
import { describeShape, sizeOf } from './core/shapes.ts';
import type { Base } from './model/model.ts';
import type { Progress, Samples, Stage, Trunk, Unreadable } from './core/types.ts';
import { crossValidate } from './training/solve/crossValidate.ts';
import { assignFolds, drawExamples } from './training/solve/validationFolds.ts';
import { shown } from './core/shown.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { startPace } from './core/pace.ts';
import { tapFeatures, tapPoolings, type TapFeatures, type TapPooling } from './features/tapFeatures.ts';
import { assertSamples } from './model/checkLabels.ts';
import { takeTurns } from './core/takeTurns.ts';

/** Options of {@link suggestCut}. */
export interface SuggestCutOptions {
  /** Number of folds of the cross-validation, from 2. Default 5. */
  readonly folds?: number;
  /** How feature maps become vectors; give `replaceHead` the same. Default `'average'`. */
  readonly pooling?: TapPooling;
  /** Maximum number of examples to use, drawn so that labels keep their shares. Default 1000. */
  readonly maxExamples?: number;
  /**
   * Penalty strengths to try for each cut, above 0. The penalty is `l2 / 2` times the squared coefficients on
   * standardised features, added to the mean loss. Default 1, 0.1, 0.01.
   */
  readonly l2?: readonly number[];
  /** Examples run at once. Default 32. */
  readonly batchSize?: number;
  /** Seed of the choice of examples and of the folds. Default 0. */
  readonly seed?: number;
  /** Stops between two stages or fits, with `ABORTED`. */
  readonly signal?: AbortSignal;
  /**
   * Called after every batch (phase `features`) and after every fit (phase `head`), and awaited. An error that it
   * throws or rejects with rejects the verb.
   */
  readonly onProgress?: (progress: Progress) => unknown;
}

/** A layer where the base can be cut, and figures of its features. */
export interface CutFigures {
  /** Name of the layer (GraphModel: node), as `loadBase` takes it. */
  readonly cut: string;
  /** Accuracy, averaged over the folds, with the best of the penalties; 0 … 1. */
  readonly accuracy: number;
  /** Standard error of that mean. */
  readonly standardError: number;
  /** Number of pooled features for each example. */
  readonly width: number;
  /** Measured running time up to this layer, as a share of the whole base's, 0 … 1. It varies a little between runs. */
  readonly cost: number;
  /** Number of parameters up to this layer. */
  readonly parameters: number;
  /** The best of the penalties. */
  readonly l2: number;
}

/** Result of `suggestCut`. */
export interface CutReport {
  /**
   * Name of the earliest cut whose accuracy is within one standard error of the best.
   */
  readonly suggested: string;
  /** Every cut, the most accurate first; equal ones from the input on. */
  readonly cuts: readonly CutFigures[];
  /** Stages that were not tried, and why. */
  readonly omitted: readonly { readonly cut: string; readonly reason: string }[];
  /** Number of examples that were used. */
  readonly examples: number;
  /** Examples left out because they could not be read. */
  readonly skipped: readonly Unreadable[];
  /** Running time of the whole base for one example, in seconds; `cost` is a share of it. */
  readonly secondsPerExample: number;
}

/**
 * Finds the layer at which to cut a base for a task. Features of every stage, from one pass through the network, are
 * judged by a cross-validated logistic regression.
 *
 * The last features of a network are the best ones only if it was trained for something similar. The figures of all
 * cuts come from the same folds, on which the penalty is chosen too: use them only to compare cuts, and measure the
 * final model with `evaluate`. The suggestion follows the one-standard-error rule (Breiman et al., Classification and
 * Regression Trees, 1984, section 3.4.3). Only stages up to the base's own cut are tried.
 *
 * @param base - Not changed. Load it again with the `cut` that you choose.
 * @param samples - Examples with one label each, at least two of every label.
 * @param options - See {@link SuggestCutOptions}.
 * @throws TransferKitError `NO_EXAMPLES`, `TOO_FEW_CLASSES`, `TOO_FEW_EXAMPLES`, `UNREADABLE`, `WRONG_SHAPE`,
 * `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_OPTION`, `UNSUPPORTED_SOURCE` for a base that cannot be cut anywhere,
 * `ABORTED`, `DISPOSED`.
 *
 * @example
 * ```ts
 * const { suggested, cuts } = await suggestCut(base, samples, { folds: 4 });
 * console.table(cuts);
 * console.log(suggested); // block_1_relu
 * ```
 */
export async function suggestCut(base: Base, samples: Samples, options: SuggestCutOptions = {}): Promise<CutReport> {
  return nameErrors('suggestCut', () => {
    assertOptions(options, {
      folds: true,
      pooling: true,
      maxExamples: true,
      l2: true,
      batchSize: true,
      seed: true,
      signal: true,
      onProgress: true,
    });
    return whileBaseUsed(base, () => suggestCutNow(base, samples, options));
  });
}

async function suggestCutNow(base: Base, samples: Samples, options: SuggestCutOptions): Promise<CutReport> {
  const settled = settle(options);
  const { labels, indexes } = choose(samples, settled);
  const { taps, omitted } = listTaps(base.trunk);
  if (taps.length === 0) throw withoutTaps(base, omitted);
  await ensureBackend();
  const pace = await startPace('features', indexes.length, options.onProgress);
  const parts = layOut([{ name: '', task: 'classes', labels, units: labels.length }]);
  const reader = { base, head: { parts } };
  const plan = { ...settled, reader, samples, indexes, taps: new Set(taps) };
  const tapped = await tapFeatures(plan, pace);
  assertEnough(labels, tapped.classes, settled.folds);
  const cuts = rank(await judge(base.trunk, taps, tapped, settled));
  return {
    suggested: earliest(cuts, base.trunk).cut,
    cuts,
    omitted,
    examples: tapped.classes.length,
    skipped: tapped.skipped,
    secondsPerExample: sum(tapped.seconds),
  };
}

type Settled = Required<Omit<SuggestCutOptions, 'signal' | 'onProgress'>> &
  Pick<SuggestCutOptions, 'onProgress'> & { readonly assertWanted: () => void };

function settle(options: SuggestCutOptions): Settled {
  const { folds = 5, pooling = 'average', maxExamples = 1000, batchSize = 32, seed = 0, signal } = options;
  const { l2 = [1, 0.1, 0.01] } = options;
  assertWhole('folds', folds, 2);
  assertWhole('maxExamples', maxExamples, 1);
  assertWhole('batchSize', batchSize, 1);
  assertWhole('seed', seed, 0);
  if (!tapPoolings.includes(pooling)) throw invalid(`pooling to be one of ${tapPoolings.join(', ')}`, pooling);
  if (!Array.isArray(l2) || l2.length === 0 || !l2.every((each) => Number.isFinite(each) && each > 0)) {
    throw invalid('l2 to be a list of finite numbers above 0', shown(l2));
  }
  const assertWanted = () => {
    if (signal?.aborted !== true) return;
    throw new TransferKitError('ABORTED', 'was stopped by its signal.', {}, signal.reason);
  };
  const { onProgress } = options;
  return { folds, pooling, maxExamples, batchSize, seed, l2, assertWanted, ...(onProgress && { onProgress }) };
}

/** The examples to use, and the labels that they have. */
function choose(samples: Samples, { maxExamples, folds, seed }: Settled) {
  assertSamples(samples);
  if (samples.size === 0) throw new TransferKitError('NO_EXAMPLES', 'expected examples, got none.');
  const targets = Array.from({ length: samples.size }, (_, index) => labelAt(samples, index));
  const present = new Set(targets);
  const labels = samples.labels.filter((label) => present.has(label));
  if (labels.length < 2) {
    const text = `expected examples of two or more labels, got ${String(labels.length)} (${labels.join(', ')}).`;
    throw new TransferKitError('TOO_FEW_CLASSES', text, { labels });
  }
  const places = new Map(labels.map((label, place) => [label, place]));
  const classes = targets.map((label) => places.get(label) ?? 0);
  const indexes = drawExamples(classes, maxExamples, seed);
  assertEnough(
    labels,
    indexes.map((index) => classes[index] ?? 0),
    folds,
  );
  return { labels, indexes };
}

function labelAt(samples: Samples, index: number): string {
  const target = samples.target(index);
  if (typeof target === 'string') return target;
  const text =
    `expected one label for each example, got ${shown(target)} for example ${String(index)}. Cuts are ` +
    'compared by how well they tell classes apart: give samples with a class each.';
  throw new TransferKitError('INVALID_OPTION', text, { index, target });
}

function assertEnough(labels: readonly string[], classes: readonly number[], folds: number): void {
  const counts = labels.map((_, label) => classes.filter((each) => each === label).length);
  const rare = labels.filter((_, label) => (counts[label] ?? 0) < 2);
  if (rare.length === 0 && classes.length >= folds) return;
  const found = rare.length > 0 ? `fewer of ${rare.join(', ')}` : String(classes.length);
  const text =
    `expected at least two examples of every label and ${String(folds)} in all, one for each fold, got ` +
    `${found}. Add examples, leave labels out, or raise maxExamples.`;
  throw new TransferKitError('TOO_FEW_EXAMPLES', text, { rare, size: classes.length });
}

/** The stages whose outputs can be pooled, and whose names `loadBase` accepts. */
function listTaps({ stages }: Trunk): { taps: Stage[]; omitted: CutReport['omitted'] } {
  const judged = stages.map((stage, index) => ({ stage, reason: obstacle(stage, stages.slice(index + 1)) }));
  return {
    taps: judged.flatMap(({ stage, reason }) => (reason === undefined ? [stage] : [])),
    omitted: judged.flatMap(({ stage: { name }, reason }) => (reason === undefined ? [] : [{ cut: name, reason }])),
  };
}

function obstacle({ name, output: { shape, dtype } }: Stage, after: readonly Stage[]): string | undefined {
  if (dtype !== 'float32') return `gives ${dtype}, not float32`;
  if (shape.length < 2) return `gives ${describeShape(shape)}: one value for each example is no features`;
  // A cut by name is after the last call of that layer.
  return after.some(({ layers }) => layers.includes(name)) ? 'runs again further on' : undefined;
}

/** Figures of every tap, from the input on. */
async function judge(
  trunk: Trunk,
  taps: readonly Stage[],
  { features, classes, weights, seconds }: TapFeatures,
  { folds, seed, l2, assertWanted, onProgress }: Settled,
): Promise<CutFigures[]> {
  const pace = await startPace('head', taps.length * folds * l2.length, onProgress);
  const turn = takeTurns();
  const waiting = {
    rest: async () => {
      await turn();
      assertWanted();
    },
    onFitted: async () => {
      await pace.advance(folds);
      assertWanted();
    },
  };
  const data = { classes, weights, folds: assignFolds(classes, folds, seed), l2 };
  const cuts: CutFigures[] = [];
  for (const stage of taps) {
    const values = features.get(stage) ?? new Float32Array(0);
    const validated = await crossValidate({ ...data, features: values }, waiting);
    const upTo = trunk.stages.indexOf(stage) + 1;
    cuts.push({
      cut: stage.name,
      accuracy: validated.accuracy,
      standardError: validated.standardError,
      width: values.length / classes.length,
      cost: sum(seconds.slice(0, upTo)) / sum(seconds),
      parameters: sum(trunk.weights.filter((weight) => weight.stage < upTo).map(({ shape }) => sizeOf(shape))),
      l2: validated.l2,
    });
  }
  return cuts;
}

/** The most accurate first; the sort is stable. */
function rank(cuts: readonly CutFigures[]): CutFigures[] {
  return [...cuts].sort((a, b) => b.accuracy - a.accuracy);
}

/** The earliest cut whose accuracy is within one standard error of the best. */
function earliest(ranked: readonly CutFigures[], { stages }: Trunk): CutFigures {
  const [best] = ranked;
  if (best === undefined) throw internalError('no cut was judged');
  const good = ranked.filter(({ accuracy }) => accuracy >= best.accuracy - best.standardError);
  const place = ({ cut }: CutFigures) => stages.findLastIndex(({ name }) => name === cut);
  return good.reduce((a, b) => (place(b) < place(a) ? b : a));
}

function withoutTaps({ name }: Base, omitted: CutReport['omitted']): TransferKitError {
  const found = omitted.map(({ cut, reason }) => `'${cut}' ${reason}`).join('; ') || 'no stages';
  const text = `expected a base that can be cut, got '${name}': ${found}.`;
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { omitted });
}

function invalid(expected: string, received: string): TransferKitError {
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${received}.`, { received });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
