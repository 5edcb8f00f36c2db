// Options that trainHead and fineTune share, and their checks.
import { platform } from '#platform';
import { TransferKitError } from '../core/errors.ts';
import type { EpochLog, Progress, Samples } from '../core/types.ts';
import type { Augmentation, SettledAugmentation } from './augment.ts';
import { adam, sgd, type Optimizer } from './optimizers.ts';
import { settleSchedule, type Schedule } from './schedules.ts';

/** How features of the frozen front are kept while a verb trains. */
export interface FeatureCacheOptions {
  /**
   * Numbers that features are kept in. `'float16'` takes half the room, keeps three decimal digits and holds values up to
   * 65504; a larger one is an error. Default `'float32'`, which changes nothing.
   */
  readonly precision?: 'float32' | 'float16';
  /**
   * Bytes of memory that features may take, those for validation included: whole, from 0. What does not fit goes to a
   * file in Node, to IndexedDB in browsers, and is removed at the end; after a crash, when training starts the next time.
   * Default: a quarter of the memory that is free in Node (a container's limit is heeded), an eighth of what the device
   * has in browsers that tell it, else 256 MiB.
   */
  readonly memory?: number;
  /** Folder for that file, made when it is needed. Node only. Default: the system's folder for temporary files. */
  readonly directory?: string;
}

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
   * Whether what is frozen in front is computed once for each example and kept, and how. Default true; false runs the
   * whole network in every epoch, with the same result where every example can be read and no epoch sees a view of
   * `augment` again.
   */
  readonly cache?: boolean | FeatureCacheOptions;
  /** Changes the inputs of training, not those of validation. Default: nothing is changed. */
  readonly augment?: Augmentation;
  /** Stops between two batches; the model stays usable and the log says so. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called after every epoch. */
  readonly onEpoch?: (epoch: EpochLog) => void;
}

/** How to keep features, with every value settled. */
export interface SettledCache {
  readonly precision: 'float32' | 'float16';
  /** Undefined: what the platform says is free decides. */
  readonly memory: number | undefined;
  readonly directory: string | undefined;
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
  /** Undefined: nothing is kept. */
  readonly cache: SettledCache | undefined;
  readonly augment: SettledAugmentation | undefined;
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
  const { initialEpoch = 0, batchSize = 32, validation, optimizer = 'adam', seed = 0 } = options;
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
    cache: settleCache(verb, options.cache),
    augment: options.augment === undefined ? undefined : settleAugmentation(verb, options.augment, { seed, epochs }),
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

function settleCache(verb: string, cache: TrainingOptions['cache'] = true): SettledCache | undefined {
  if (cache === false) return undefined;
  if (cache !== true && !isObject(cache)) {
    throw invalid(verb, 'cache to be true, false or { precision, memory, directory }', cache);
  }
  const { precision = 'float32', memory, directory }: FeatureCacheOptions = cache === true ? {} : cache;
  if (!precisions.has(precision)) {
    throw invalid(verb, "cache.precision to be 'float32' or 'float16'", precision);
  }
  if (memory !== undefined) assertWhole(verb, 'cache.memory', memory, 0);
  if (directory !== undefined && (typeof directory !== 'string' || platform.name === 'browser')) {
    throw invalid(verb, 'cache.directory to be a folder, in Node', directory);
  }
  return { precision, memory, directory };
}

function settleAugmentation(
  verb: string,
  augment: Augmentation,
  { seed, epochs }: { readonly seed: number; readonly epochs: number },
): SettledAugmentation {
  if (!isObject(augment) || typeof augment.apply !== 'function') {
    throw invalid(verb, 'augment to be { apply(input, seed) }', augment);
  }
  const { views = 1 } = augment;
  assertWhole(verb, 'augment.views', views, 1);
  // Epoch e sees view e mod `views`.
  return { views: Math.min(views, epochs), seed, apply: (input, own) => augment.apply(input, own) };
}

const precisions: ReadonlySet<unknown> = new Set(['float32', 'float16']);

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isOptimizer(value: unknown): value is Optimizer {
  return typeof value === 'object' && value !== null && 'init' in value && 'update' in value;
}

function invalid(verb: string, expected: string, received: unknown): TransferKitError {
  return new TransferKitError('INVALID_OPTION', `${verb}: expected ${expected}, got ${String(received)}.`, {
    received,
  });
}
