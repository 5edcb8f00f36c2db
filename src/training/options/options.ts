// Options that trainHead and fineTune share, and their checks.
import type { AnyModel } from '../../model/model.ts';
import type { EpochReport, Monitor } from '../../core/logs.ts';
import type { Progress, Samples } from '../../core/types.ts';
import { settleAugmentation, type AugmentOption, type SettledAugmentation } from '../../data/augment/augment.ts';
import { settleAveraging, type AveragingOptions, type SettledAveraging } from '../run/averages.ts';
import { settleCache, type FeatureCacheOptions, type SettledCache } from '../../features/cacheOptions.ts';
import { settleCheckpoint, type CheckpointOptions, type SettledCheckpoint } from '../resume/checkpointOptions.ts';
import { settleClipping, type Clipping, type SettledClipping } from '../optimizers/clipping.ts';
import type { LossOption } from '../../losses/headRules.ts';
import { settleMix, type SettledMix } from '../../losses/mixBatch.ts';
import { assertOneOf, assertRate, assertShare, assertWhole, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { settleOptimizer, type OptimizerName } from '../optimizers/optimizers.ts';
import type { AdaptiveSchedule, Schedule } from '../schedules/schedule.ts';
import { settleSchedule, type ScheduleName } from '../schedules/schedules.ts';
import { settleWatch, type EarlyStoppingOptions, type SettledWatch } from '../run/watch.ts';

/** Options of every training verb. */
export interface TrainingOptions {
  /**
   * Number of the epoch to stop before, counted from 0 as Keras counts: with `initialEpoch` 10, 15 trains five. Default: 5 epochs
   * in `fineTune`. `trainHead` needs no epochs where it solves for the weights; a number of epochs asks it for gradient steps, of
   * which it takes 10 epochs by itself.
   */
  readonly epochs?: number;
  /**
   * Number of the first epoch. It numbers epochs, draws their orders and says which step of `unfreeze` is under way; the schedule
   * spans the epochs from here on and begins at its beginning, and so do optimizer state and averages, as with a newly compiled
   * model in Keras (there `fit` on the same compiled model goes on with its optimizer). To go on where a run was, with its
   * schedule and state, use `checkpoint` and `resume`. Default 0.
   */
  readonly initialEpoch?: number;
  /** Examples for each step. Default 32. */
  readonly batchSize?: number;
  /**
   * Batches whose gradients are averaged for one step, from 1: four batches of 8 move the weights as one of 32 does. Default 1.
   */
  readonly gradientAccumulationSteps?: number;
  /** Samples to validate on after every epoch, or the share of the training samples to hold out, above 0 and below 1. */
  readonly validation?: Samples | number;
  /** What is to be made small, for several heads also by their names. Default: what fits the task (see `LossName`). */
  readonly loss?: LossOption;
  /**
   * Factor of each head's loss in the sum, by the names of several heads, from 0. Default 1 for each. Keras's `loss_weights`.
   */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /**
   * Share of each target that is spread evenly over the labels, 0 … below 1; in training only. Not for regression. Default 0.
   *
   * Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, section 7.
   */
  readonly labelSmoothing?: number;
  /**
   * How much examples of each label count in training, beside their own weights: `'balanced'` gives every label the same
   * weight in all; labels that are not named count 1. Default: all count 1.
   */
  readonly classWeights?: 'balanced' | Readonly<Record<string, number>>;
  /**
   * Alpha of the Beta distribution by which pairs of examples and their targets are blended, above 0. In front of which
   * layers: where the examples enter training, so features where the frozen front is cached. Default: no blending.
   *
   * Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018; on features Verma et al., "Manifold Mixup", 2019.
   */
  readonly mixup?: number;
  /**
   * Alpha of the Beta distribution by which a rectangle of one example is put into another, above 0; pictures or feature
   * maps only. With `mixup` too, each batch is treated by one of them. Default: none.
   *
   * Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", 2019.
   */
  readonly cutMix?: number;
  /** A name, or one made by `adam()`, `sgd()` … of `transferkit/optimizers`. Default `'adam'`. */
  readonly optimizer?: OptimizerName | Optimizer;
  /**
   * How the learning rate goes over the run: a name, one made by `cosine()`, `oneCycle()` … of `transferkit/schedules`, or a
   * function.
   */
  readonly schedule?: ScheduleName | Schedule;
  /** Limits gradients. Default: no limit. */
  readonly clip?: Clipping;
  /**
   * How BatchNorm layers that are not frozen run in training: `'inference'` by their stored statistics, which stay as they
   * are; `'train'` by mean and variance of each batch, which move the stored statistics as in Keras, with the layer's own
   * momentum or the one that is given. Worth it for many examples in batches of 16 and more; few examples are better off with the statistics of
   * the base. Statistics move with every batch, also between two steps of `gradientAccumulationSteps`, and have no part in
   * `ema`, being averages themselves. A batch with one value of a channel makes its variance 0. Default `'inference'`.
   */
  readonly batchNorm?: 'inference' | 'train' | { readonly momentum: number };
  /** Keeps exponential moving averages of the weights. Default false. */
  readonly ema?: boolean | AveragingOptions;
  /** The figure that epochs are judged by. Default `'validationLoss'` where there is validation. */
  readonly monitor?: Monitor;
  /**
   * Whether the model gets the weights of the epoch with the best figure of `monitor` at the end. Where that is a figure of
   * validation and the head was trained before, what the run begins with is measured once and counts too: the model never
   * ends worse by it than it was (`log.before`; `log.best.epoch` is then -1, or `initialEpoch - 1`). Early stopping and
   * schedules go by epochs alone, as in Keras. Default true.
   */
  readonly restoreBest?: boolean;
  /** Stops when the figure of `monitor` has not become better: `true`, epochs of patience, or details. Default false. */
  readonly earlyStopping?: boolean | number | EarlyStoppingOptions;
  /**
   * Seconds after which training stops, from the call of the verb on, reading and features included: between two batches,
   * with a last validation. Default `Infinity`: no limit.
   */
  readonly maxSeconds?: number;
  /**
   * Writes down from time to time where the run is, so that `resume` can go on after the process was killed. Default: nothing
   * is written.
   */
  readonly checkpoint?: CheckpointOptions;
  /**
   * Goes on from the newest checkpoint in `checkpoint.to`, made by the same call on the same model and samples; begins at the
   * beginning where there is none. Weights and log become those of a run that was never interrupted, bit for bit on the same
   * backend, times aside. A run that was finished ends at once, unless
   * `epochs` is more than before: then it goes on behind its last epoch, schedule and default rates being those of the longer run from
   * there on (with a schedule that falls to 0 the rate rises again). `onEpoch` is called for epochs of this process, one of which
   * the last process may have told already. Default false: checkpoints that are there are replaced.
   */
  readonly resume?: boolean;
  /** Fixes the order of examples, dropout and what is held out. Default 0. */
  readonly seed?: number;
  /**
   * Whether what is frozen in front is computed once for each example and kept, and how. Default true; false runs the
   * whole network in every epoch, with the same result where every example can be read.
   */
  readonly cache?: boolean | FeatureCacheOptions;
  /**
   * Changes the inputs of training, not those of validation, each example by a seed of its own: `'light'`, `'standard'` or
   * `'strong'` for pictures, operations of `transferkit/augment` in their order (`[flip(), rotate({ degrees: 15 })]`), or a
   * function of your own. Default `'none'`.
   */
  readonly augment?: AugmentOption;
  /**
   * How many changed inputs of each example there are: epoch e sees view e mod `views`, a whole number from 1, and their
   * features are kept. Default `'fresh'`: every epoch sees views of its own, so that what is frozen in front runs again in
   * every epoch; what it gives for validation is kept.
   */
  readonly views?: number | 'fresh';
  /** Stops between two batches; the model stays usable and the log says so. */
  readonly signal?: AbortSignal;
  /**
   * Called after every batch, and waited for. What it throws, or rejects with, ends the verb as it came; the model then has the
   * weights of the last whole epoch. This holds for every function among the options.
   */
  readonly onProgress?: (progress: Progress) => unknown;
  /** Called after every epoch, and waited for, as `onProgress` is. `phase` tells the head's epochs from those of fine-tuning. */
  readonly onEpoch?: (epoch: EpochReport) => unknown;
}

/** The same with every value settled. */
export interface SettledOptions {
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly batchSize: number;
  readonly gradientAccumulationSteps: number;
  readonly validation: Samples | number | undefined;
  readonly loss: LossOption | undefined;
  readonly lossWeights: TrainingOptions['lossWeights'];
  readonly labelSmoothing: number;
  readonly classWeights: TrainingOptions['classWeights'];
  readonly mix: SettledMix | undefined;
  readonly optimizer: Optimizer;
  readonly schedule: AdaptiveSchedule;
  readonly clip: SettledClipping | undefined;
  /** Undefined momentum: the layers' own. */
  readonly batchNorm: 'inference' | { readonly momentum?: number };
  readonly ema: SettledAveraging | undefined;
  readonly watch: SettledWatch;
  readonly maxSeconds: number;
  readonly checkpoint: SettledCheckpoint | undefined;
  readonly seed: number;
  /** Undefined: nothing is kept. */
  readonly cache: SettledCache | undefined;
  readonly augment: SettledAugmentation | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => unknown) | undefined;
  readonly onEpoch: ((epoch: EpochReport) => unknown) | undefined;
}

/** What a verb does where its caller says nothing. */
export interface Defaults {
  /** Epochs from `initialEpoch` on. */
  readonly epochs: number;
  readonly schedule: ScheduleName;
}

/**
 * Fills in defaults and checks values.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleOptions(
  verb: string,
  options: TrainingOptions,
  defaults: Defaults,
  model: Pick<AnyModel, 'base'>,
): SettledOptions {
  const { initialEpoch = 0, batchSize = 32, gradientAccumulationSteps = 1, validation, seed = 0 } = options;
  const { epochs = initialEpoch + defaults.epochs, labelSmoothing = 0, maxSeconds = Infinity } = options;
  assertWhole(verb, 'initialEpoch', initialEpoch, 0);
  assertWhole(verb, 'epochs', epochs, initialEpoch + 1);
  assertWhole(verb, 'batchSize', batchSize, 1);
  assertWhole(verb, 'gradientAccumulationSteps', gradientAccumulationSteps, 1);
  assertWhole(verb, 'seed', seed, 0);
  assertShare(verb, 'labelSmoothing', labelSmoothing);
  if (maxSeconds !== Infinity) assertRate(verb, 'maxSeconds', maxSeconds);
  if (typeof validation === 'number' && !(validation > 0 && validation < 1)) {
    throw invalidOption(verb, 'validation to be samples or a share above 0 and below 1', validation);
  }
  return {
    epochs,
    initialEpoch,
    batchSize,
    gradientAccumulationSteps,
    validation,
    loss: options.loss,
    lossWeights: options.lossWeights,
    labelSmoothing,
    classWeights: options.classWeights,
    mix: settleMix(verb, options),
    optimizer: settleOptimizer(verb, options.optimizer ?? 'adam'),
    schedule: settleSchedule(verb, options.schedule ?? defaults.schedule),
    clip: settleClipping(verb, options.clip),
    batchNorm: settleBatchNorm(verb, options.batchNorm),
    ema: settleAveraging(verb, options.ema),
    watch: settleWatch(verb, options, validation !== undefined),
    maxSeconds,
    checkpoint: settleCheckpoint(verb, options.checkpoint, options.resume),
    seed,
    cache: settleCache(verb, options.cache),
    augment: settleAugmentation(verb, { augment: options.augment, views: options.views, seed, epochs, model }),
    signal: options.signal,
    onProgress: options.onProgress,
    onEpoch: options.onEpoch,
  };
}

function settleBatchNorm(
  verb: string,
  option: TrainingOptions['batchNorm'] = 'inference',
): SettledOptions['batchNorm'] {
  if (isObject(option)) {
    assertOptions(verb, option, { momentum: true }, { of: 'batchNorm' });
    assertShare(verb, 'batchNorm.momentum', option.momentum);
    return { momentum: option.momentum };
  }
  assertOneOf(verb, 'batchNorm', option, ['inference', 'train']);
  return option === 'train' ? {} : option;
}
