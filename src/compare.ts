// The verb compare: several models trained on the same samples under the same budget.
import { nameErrors } from './core/edge.ts';
import { TransferKitError } from './core/errors.ts';
import type { TransferModel } from './model/model.ts';
import type { EpochReport, TrainingLog } from './core/logs.ts';
import type { Samples } from './core/types.ts';
import { evaluate } from './evaluate.ts';
import { assertFineTuneNames, type FineTuneOptions } from './training/options/fineTuneOptions.ts';
import { isObject } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { shown } from './core/shown.ts';
import { assertOwned } from './model/owners.ts';
import { whileChanged } from './model/uses.ts';
import { assertSamples } from './model/checkLabels.ts';
import { accuracyOf, type ExampleLearner } from './neighbours/exampleLearner.ts';

/**
 * An entry of `compare`: a model that `fineTune` trains, a model with its own options of `fineTune`, or a classifier of
 * examples (`knn`, `nearestCentroid`).
 */
export type Contestant =
  TransferModel | { readonly model: TransferModel; readonly options?: FineTuneOptions } | ExampleLearner;

/** Options of {@link compare}. */
export interface CompareOptions {
  /**
   * Epochs of `fineTune` for each model, in addition to those that train its head first. Default: that of `fineTune`.
   */
  readonly epochs?: number;
  /** Seconds for each model that is trained, training of its head and features included. Default: no limit. */
  readonly maxSeconds?: number;
  /** Samples for validation during training, or the share to hold out of the training samples. Default 0.2. */
  readonly validation?: Samples | number;
  /** Samples on which the table is measured. Default: the validation samples. */
  readonly test?: Samples;
  /** Seed of the held-out share, the order of examples and dropout, the same for all. Default 0. */
  readonly seed?: number;
  /** Stops between two batches. Contestants that have not finished are not in the table. */
  readonly signal?: AbortSignal;
  /**
   * Called after every epoch of each contestant, and awaited. An error that it throws or rejects with rejects the verb.
   */
  readonly onEpoch?: (name: string, epoch: EpochReport) => unknown;
}

/** One row of the table. */
export interface ComparisonRow {
  readonly name: string;
  /** Share of right predictions, 0 … 1; missing for regression. */
  readonly accuracy?: number;
  /** Mean loss; missing for classifiers of examples, which have none. */
  readonly loss?: number;
  /** Training time, including the head's training and the features of frozen layers. */
  readonly seconds: number;
  readonly epochs: number;
  /** Number of trained parameters. */
  readonly trainedParameters: number;
}

/** Figures of one contestant, epoch by epoch. The epochs of its head's training come first. */
export interface ComparisonCurve {
  /** Seconds from the start of its training to the end of each epoch; 0 for epochs that `resume` restored. */
  readonly seconds: readonly number[];
  readonly loss: readonly number[];
  readonly validationLoss: readonly number[];
  /** Empty for regression. */
  readonly validationAccuracy: readonly number[];
}

/** Result of `compare`. */
export interface Comparison {
  /** In the order of `contestants`; ready for `console.table`. */
  readonly rows: readonly ComparisonRow[];
  readonly curves: Readonly<Record<string, ComparisonCurve>>;
  readonly logs: Readonly<Record<string, readonly TrainingLog[]>>;
}

/**
 * Trains several models one after another on the same samples, with the same budget and seed, and measures them. For
 * example, it compares a pretrained network with the same architecture and random weights. The models are trained in
 * place, and the caller disposes of them. Models may share a base only if they train their heads alone (`unfreeze:
 * 'head'`). No other verb can change the models during the call.
 *
 * @param contestants - By name; see {@link Contestant}.
 * @param samples - Training examples.
 * @param options - See {@link CompareOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `BUSY`, `BASE_SHARED` for a base that another model shares, and the errors
 * of `fineTune` and `evaluate`.
 *
 * @example
 * ```ts
 * const other = replaceHead(base, { labels: ['cat', 'dog'] });
 * const { rows } = await compare(
 *   { calm: { model, options: { learningRate: 1e-5 } }, bold: { model: other, options: { learningRate: 1e-3 } } },
 *   samples,
 *   { epochs: 2 },
 * );
 * console.table(rows);
 * ```
 */
export async function compare(
  contestants: Readonly<Record<string, Contestant>>,
  samples: Samples,
  options: CompareOptions = {},
): Promise<Comparison> {
  return nameErrors('compare', () => {
    assertOptions(options, {
      epochs: true,
      maxSeconds: true,
      validation: true,
      test: true,
      seed: true,
      signal: true,
      onEpoch: true,
    });
    if (!isObject(contestants) || Array.isArray(contestants)) {
      throw invalid('contestants by name, such as { calm: model, bold: other }', shown(contestants));
    }
    const entries = Object.entries(contestants).map(([name, given]) => [name, settleContestant(name, given)] as const);
    if (entries.length === 0) throw invalid('at least one contestant', 'none');
    assertApart(entries);
    const models = entries.flatMap(([, each]) => ('model' in each ? [each.model] : []));
    return whileChanged('compare', models, () => compareNow(entries, samples, options));
  });
}

type Entry = readonly [name: string, contestant: SettledContestant];

async function compareNow(entries: readonly Entry[], samples: Samples, options: CompareOptions): Promise<Comparison> {
  for (const [, each] of entries) {
    if ('model' in each && !trainsHeadOnly(each)) assertOwned(each.model, each.model.base.trunk.weights);
  }
  assertSamples(samples);
  const { validation = 0.2, seed = 0 } = options;
  const parts = typeof validation === 'number' ? samples.split({ validation, seed }) : { train: samples, validation };
  const arena: Arena = { ...parts, test: options.test ?? parts.validation, seed, options };
  const { settleFineTune } = await import('./training/run/settleFineTune.ts');
  for (const [, each] of entries) {
    if ('model' in each) settleFineTune(each.model, arena.train, optionsFor(each.options, arena));
  }
  const finished: (readonly [string, Result])[] = [];
  for (const [name, contestant] of entries) {
    if (options.signal?.aborted === true) break;
    const result =
      'learner' in contestant ? await runLearner(contestant.learner, arena) : await runModel(name, contestant, arena);
    if (result !== undefined) finished.push([name, result]);
  }
  return {
    rows: finished.map(([name, { row }]) => ({ name, ...row })),
    curves: Object.fromEntries(finished.map(([name, result]) => [name, curveOf(result)])),
    logs: Object.fromEntries(finished.map(([name, { logs }]) => [name, logs])),
  };
}

type SettledContestant =
  { readonly model: TransferModel; readonly options: FineTuneOptions } | { readonly learner: ExampleLearner };

/** What all contestants share. */
interface Arena {
  readonly train: Samples;
  readonly validation: Samples;
  readonly test: Samples;
  readonly seed: number;
  readonly options: CompareOptions;
}

interface Result {
  readonly row: Omit<ComparisonRow, 'name'>;
  readonly logs: readonly TrainingLog[];
  /** Time at the end of each epoch of this process, in seconds. */
  readonly times: readonly number[];
}

function settleContestant(name: string, given: Contestant): SettledContestant {
  if (isObject(given) && 'addAll' in given) return { learner: given };
  if (isObject(given) && 'model' in given) {
    assertOptions(given, { model: true, options: true }, { of: `'${name}'` });
    const { model, options = {} } = given;
    assertFineTuneNames(options, `'${name}'`);
    return { model, options };
  }
  if (isObject(given) && 'head' in given) return { model: given, options: {} };
  throw invalid(`'${name}' to be a model, { model, options } or a classifier that learns by examples`, typeof given);
}

/** Raises if a contestant would start from weights that another one has trained. */
function assertApart(entries: readonly Entry[]): void {
  const models = entries.flatMap(([name, each]) => ('model' in each ? [{ name, ...each }] : []));
  models.forEach((later, place) => {
    for (const earlier of models.slice(0, place)) {
      const names = `'${earlier.name}' and '${later.name}'`;
      if (earlier.model === later.model) {
        throw invalid('a model for each, as they learn in place', `the same one for ${names}: build another`);
      }
      if (earlier.model.base !== later.model.base || (trainsHeadOnly(earlier) && trainsHeadOnly(later))) continue;
      throw invalid(
        "a base for each, or unfreeze 'head' for those that share one",
        `one for ${names}, which one of them would change: load it twice`,
      );
    }
  });
}

function trainsHeadOnly({ options }: { readonly options: FineTuneOptions }): boolean {
  return options.unfreeze === 'head';
}

/** Options of one contestant, limited by the common budget. */
function optionsFor(own: FineTuneOptions, { validation, seed, options }: Arena): FineTuneOptions {
  const { epochs, maxSeconds, signal } = options;
  return {
    ...own,
    ...(epochs === undefined ? {} : { epochs }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(signal === undefined ? {} : { signal }),
    seed,
    validation,
  };
}

/** Undefined if the signal stopped it. */
async function runModel(
  name: string,
  { model, options: own }: Extract<SettledContestant, { model: TransferModel }>,
  arena: Arena,
): Promise<Result | undefined> {
  const { train, test, options } = arena;
  const before = model.history.length;
  const { fineTuneNow } = await import('./training/run/fineTuneNow.ts');
  const start = performance.now();
  const times: number[] = [];
  const log = await fineTuneNow(model, train, {
    ...optionsFor(own, arena),
    onEpoch: async (epoch) => {
      times.push((performance.now() - start) / 1000);
      await own.onEpoch?.(epoch);
      await options.onEpoch?.(name, epoch);
    },
  });
  if (log.stoppedBy === 'signal') return undefined;
  const logs = model.history.slice(before);
  const measured = await evaluate(model, test);
  return {
    row: {
      ...('accuracy' in measured ? { accuracy: measured.accuracy } : {}),
      loss: measured.loss,
      seconds: log.seconds,
      epochs: log.epochs.length,
      trainedParameters: log.parameters.trained,
    },
    logs,
    times,
  };
}

/** Undefined if the signal stopped it. */
async function runLearner(learner: ExampleLearner, { train, test, options }: Arena): Promise<Result | undefined> {
  const { signal } = options;
  const start = performance.now();
  try {
    await learner.addAll(train, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) return undefined;
    throw error;
  }
  const seconds = (performance.now() - start) / 1000;
  const accuracy = await accuracyOf(learner, test);
  return { row: { accuracy, seconds, epochs: 0, trainedParameters: 0 }, logs: [], times: [] };
}

function curveOf({ logs, times }: Result): ComparisonCurve {
  const epochs = logs.flatMap((log) => log.epochs);
  return {
    seconds: epochs.map((_, place) => times[place - epochs.length + times.length] ?? 0),
    loss: epochs.map(({ loss }) => loss),
    validationLoss: epochs.map(({ validationLoss = NaN }) => validationLoss),
    validationAccuracy: epochs.flatMap(({ validationAccuracy }) => validationAccuracy ?? []),
  };
}

function invalid(expected: string, received: unknown): TransferKitError {
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${String(received)}.`, {
    received,
  });
}
