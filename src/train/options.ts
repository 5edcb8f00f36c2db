// Options that trainHead and fineTune share, and their checks.
import { TransferKitError } from '../core/errors.ts';
import type { EpochLog, Progress, Samples } from '../core/types.ts';
import { adam, sgd, type Optimizer } from './optimizers.ts';
import { settleSchedule, type Schedule } from './schedules.ts';

/** Options of every training verb. */
export interface TrainingOptions {
  /** Number of the epoch to stop before, counted from 0 as Keras counts: with `initialEpoch` 10, 15 trains five. */
  readonly epochs?: number;
  /** Number of the first epoch. Default 0. */
  readonly initialEpoch?: number;
  /** Examples for each step. Default 32. */
  readonly batchSize?: number;
  /** Samples to validate on after every epoch, or the share of the training samples to hold out, above 0 and below 1. */
  readonly validation?: Samples | number;
  /** `'adam'`, `'sgd'` (momentum 0.9), or one made by `adam()` or `sgd()`. Default `'adam'`. */
  readonly optimizer?: 'adam' | 'sgd' | Optimizer;
  /**
   * How the learning rate goes over the run: `'cosine'` falls from the given rate to 0, `'constant'` keeps it, a
   * function of step and number of steps gives a factor. Default `'cosine'`.
   */
  readonly schedule?: 'constant' | 'cosine' | Schedule;
  /** Fixes the order of examples, dropout and what is held out. Default 0. */
  readonly seed?: number;
  /**
   * Whether what is frozen in front is computed once for each example and kept in memory. Default true; false runs the
   * whole network in every epoch, with the same result.
   */
  readonly cache?: boolean;
  /** Stops between two batches; the model stays usable and the log says so. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called after every epoch. */
  readonly onEpoch?: (epoch: EpochLog) => void;
}

/** The same with every value settled. */
export interface SettledOptions {
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly batchSize: number;
  readonly validation: Samples | number | undefined;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly seed: number;
  readonly cache: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly onEpoch: ((epoch: EpochLog) => void) | undefined;
}

/**
 * Fills in defaults and checks values.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleOptions(verb: string, options: TrainingOptions, defaultEpochs: number): SettledOptions {
  const { initialEpoch = 0, batchSize = 32, validation, optimizer = 'adam', seed = 0, cache = true } = options;
  const epochs = options.epochs ?? initialEpoch + defaultEpochs;
  assertWhole(verb, 'initialEpoch', initialEpoch, 0);
  assertWhole(verb, 'epochs', epochs, initialEpoch + 1);
  assertWhole(verb, 'batchSize', batchSize, 1);
  assertWhole(verb, 'seed', seed, 0);
  if (typeof validation === 'number' && !(validation > 0 && validation < 1)) {
    throw invalid(verb, 'validation to be samples or a share above 0 and below 1', validation);
  }
  return {
    epochs,
    initialEpoch,
    batchSize,
    validation,
    optimizer: settleOptimizer(verb, optimizer),
    schedule: settleSchedule(verb, options.schedule ?? 'cosine'),
    seed,
    cache,
    signal: options.signal,
    onProgress: options.onProgress,
    onEpoch: options.onEpoch,
  };
}

/** Raises unless a learning rate is a finite number above 0. */
export function assertRate(verb: string, name: string, rate: number): void {
  if (!(Number.isFinite(rate) && rate > 0)) throw invalid(verb, `${name} to be a finite number above 0`, rate);
}

/** Raises unless a value is a whole number from `least` on. */
export function assertWhole(verb: string, name: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least))
    throw invalid(verb, `${name} to be a whole number from ${String(least)}`, value);
}

const optimizers: ReadonlyMap<unknown, () => Optimizer> = new Map([
  ['adam', () => adam()],
  ['sgd', () => sgd({ momentum: 0.9 })],
]);

function settleOptimizer(verb: string, optimizer: unknown): Optimizer {
  if (isOptimizer(optimizer)) return optimizer;
  const make = optimizers.get(optimizer);
  if (make !== undefined) return make();
  const found = typeof optimizer === 'string' ? optimizer : `a value of type ${typeof optimizer}`;
  throw invalid(verb, "optimizer to be 'adam', 'sgd' or one made by adam() or sgd()", found);
}

function isOptimizer(value: unknown): value is Optimizer {
  return typeof value === 'object' && value !== null && 'init' in value && 'update' in value;
}

function invalid(verb: string, expected: string, received: unknown): TransferKitError {
  return new TransferKitError('INVALID_OPTION', `${verb}: expected ${expected}, got ${String(received)}.`, {
    received,
  });
}
