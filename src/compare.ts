// The verb compare: several models trained on the same samples under the same budget.
import { TransferKitError } from './core/errors.ts';
import type { TransferModel } from './model/model.ts';
import type { EpochReport, TrainingLog } from './core/logs.ts';
import type { Samples } from './core/types.ts';
import { evaluate } from './evaluate.ts';
import { assertFineTuneNames, fineTuneNow, settleFineTune, type FineTuneOptions } from './fineTune.ts';
import { isObject } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { shown } from './core/shown.ts';
import { assertOwned } from './model/owners.ts';
import { whileChanged } from './model/uses.ts';
import { assertSamples } from './model/tasks/checkLabels.ts';
import { accuracyOf, type ExampleLearner } from './neighbours/exampleLearner.ts';

/** Who takes part: a model, which `fineTune` trains; a model with options of its own for that; or one that needs no training. */
export type Contestant =
  TransferModel | { readonly model: TransferModel; readonly options?: FineTuneOptions } | ExampleLearner;

/** Options of {@link compare}. */
export interface CompareOptions {
  /** Epochs for each, besides what trains the head first. Default: what `fineTune` does by itself. */
  readonly epochs?: number;
  /** Seconds for each, all in. Default: no limit. */
  readonly maxSeconds?: number;
  /** Samples for validation during training, or the share to hold out of the training samples. Default 0.2. */
  readonly validation?: Samples | number;
  /** Samples that the table is measured on. Default: those of the validation. */
  readonly test?: Samples;
  /** The same for all: held-out share, orders, dropout. Default 0. */
  readonly seed?: number;
  /** Stops between two batches; who has not finished is not in the table. */
  readonly signal?: AbortSignal;
  /** Called after every epoch of each, and waited for. What it throws, or rejects with, is what the verb rejects with. */
  readonly onEpoch?: (name: string, epoch: EpochReport) => unknown;
}

/** One line of the table. */
export interface ComparisonRow {
  readonly name: string;
  /** Share of right predictions; missing for regression. */
  readonly accuracy?: number;
  /** Mean loss; missing for those without one. */
  readonly loss?: number;
  /** Time to train, its head's training and features of frozen layers included. */
  readonly seconds: number;
  readonly epochs: number;
  /** Numbers in the weights that training moved. */
  readonly trainedParameters: number;
}

/** How one did, epoch by epoch; its head's training first. */
export interface ComparisonCurve {
  /** Since its training began, at the end of each epoch; 0 for those that `resume` found done. */
  readonly seconds: readonly number[];
  readonly loss: readonly number[];
  readonly validationLoss: readonly number[];
  /** Empty for regression. */
  readonly validationAccuracy: readonly number[];
}

/** What `compare` found. */
export interface Comparison {
  /** In the order in which they were given; ready for `console.table`. */
  readonly rows: readonly ComparisonRow[];
  readonly curves: Readonly<Record<string, ComparisonCurve>>;
  readonly logs: Readonly<Record<string, readonly TrainingLog[]>>;
}

/**
 * Trains several models one after the other on the same samples, under the same budget and seed, and measures them: a pretrained
 * network against the same architecture with random weights, say. The models are trained in place, and stay the caller's; each
 * has a base of its own, unless those that share one train their heads alone (`unfreeze: 'head'`). No other verb changes them
 * meanwhile.
 *
 * @param contestants - By name; see {@link Contestant}.
 * @param samples - Training examples.
 * @param options - See {@link CompareOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `BUSY`, `BASE_SHARED` for a base that a model outside shares, and what `fineTune` and `evaluate` raise.
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
  assertOptions('compare', options, {
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
}

type Entry = readonly [name: string, contestant: SettledContestant];

async function compareNow(entries: readonly Entry[], samples: Samples, options: CompareOptions): Promise<Comparison> {
  for (const [, each] of entries) {
    if ('model' in each && !trainsHeadOnly(each)) assertOwned('compare', each.model, each.model.base.trunk.weights);
  }
  assertSamples('compare', samples);
  const { validation = 0.2, seed = 0 } = options;
  const parts = typeof validation === 'number' ? samples.split({ validation, seed }) : { train: samples, validation };
  const arena: Arena = { ...parts, test: options.test ?? parts.validation, seed, options };
  for (const [, each] of entries) {
    if ('model' in each) await settleFineTune(each.model, arena.train, optionsFor(each.options, arena));
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

/** Where everybody competes. */
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
  /** When each epoch of this process ended, in seconds. */
  readonly times: readonly number[];
}

function settleContestant(name: string, given: Contestant): SettledContestant {
  if (isObject(given) && 'addAll' in given) return { learner: given };
  if (isObject(given) && 'model' in given) {
    assertOptions('compare', given, { model: true, options: true }, { of: `'${name}'` });
    const { model, options = {} } = given;
    assertFineTuneNames('compare', options, `'${name}'`);
    return { model, options };
  }
  if (isObject(given) && 'head' in given) return { model: given, options: {} };
  throw invalid(`'${name}' to be a model, { model, options } or a classifier that learns by examples`, typeof given);
}

/** Raises where one would begin with what another has learnt. */
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

/** Options of one, under the budget of all. */
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

/** Undefined when the signal stopped it. */
async function runModel(
  name: string,
  { model, options: own }: Extract<SettledContestant, { model: TransferModel }>,
  arena: Arena,
): Promise<Result | undefined> {
  const { train, test, options } = arena;
  const before = model.history.length;
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

/** Undefined when the signal stopped it. */
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
  return new TransferKitError('INVALID_OPTION', `compare: expected ${expected}, got ${String(received)}.`, {
    received,
  });
}
