// Options that trainHead and fineTune share, and their validation.
import type { AnyModel } from '../../model/model.ts';
import type { EpochReport, Monitor } from '../../core/logs.ts';
import type { Progress, Samples } from '../../core/types.ts';
import { settleAugmentation, type AugmentOption, type SettledAugmentation } from '../../data/augment/augment.ts';
import { settleAveraging, type AveragingOptions, type SettledAveraging } from './averagingOptions.ts';
import { settleCache, type FeatureCacheOptions, type SettledCache } from '../../features/cacheOptions.ts';
import { settleCheckpoint, type CheckpointOptions, type SettledCheckpoint } from './checkpointOptions.ts';
import { settleClipping, type Clipping, type SettledClipping } from '../optimizers/clipping.ts';
import type { LossOption } from '../../losses/headRules.ts';
import { settleMix, type SettledMix } from '../../losses/mixBatch.ts';
import { assertOneOf, assertRate, assertShare, assertWhole, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { settleOptimizer, type OptimizerName } from '../optimizers/optimizers.ts';
import type { AdaptiveSchedule, Schedule } from '../schedules/schedule.ts';
import { settleSchedule, type ScheduleName, type ScheduleSettings } from '../schedules/schedules.ts';
import { settleWatch, type EarlyStoppingOptions, type SettledWatch } from './watchOptions.ts';

/** Options of every training verb. */
export interface TrainingOptions {
  /**
   * Number of the epoch before which training stops, counted from 0 as in Keras: with `initialEpoch: 10`, `epochs: 15`
   * trains five epochs. Default: that of `effort` in `fineTune`. In `trainHead`, a given number of epochs selects training by
   * gradients, whose default is 10; its solver has no epochs.
   */
  readonly epochs?: number;
  /**
   * Number of the first epoch. It determines the numbers of the epochs, the order of their examples, and the step of
   * `unfreeze` to begin with. Schedule, optimizer state and averages start anew, as with a newly compiled model in
   * Keras; the schedule spans the epochs from here on. To continue an interrupted run with its schedule and state, use
   * `checkpoint` and `resume`. Default 0.
   */
  readonly initialEpoch?: number;
  /** Number of examples for each step. Default 32. */
  readonly batchSize?: number;
  /**
   * Number of batches whose gradients are averaged for one step, from 1: four batches of 8 change the weights as one
   * batch of 32 does. Default 1.
   */
  readonly gradientAccumulationSteps?: number;
  /**
   * Samples to validate on after every epoch, or the share of the training samples to hold out, above 0 and below 1.
   * `false`: no validation. `'auto'` holds out a tenth, drawn by the seed so that each label has at least 3 (of labels
   * with fewer than 12 examples, a quarter); without labels at least 10 examples. It holds out none if more than a tenth
   * of the labels have fewer than 12 examples, or if there are fewer than 40 examples without labels. The log has their
   * number as `heldOut`, and `fineTune`'s the reason if there are none (`reasons.validation`). Default `'auto'` in
   * `fineTune`, `false` in `trainHead`.
   */
  readonly validation?: Samples | number | 'auto' | false;
  /**
   * Loss to minimise; for several heads one for all or a record by name. Default: the loss of the task (see
   * `LossName`).
   */
  readonly loss?: LossOption;
  /**
   * Factor of each head's loss in the sum, by head name, from 0. Default 1 for each. Keras's `loss_weights`.
   */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /**
   * Share of each target that is spread evenly over the labels, from 0 to below 1; in training only. Not for
   * regression. Default 0.
   *
   * Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, section 7.
   */
  readonly labelSmoothing?: number;
  /**
   * Weight of the examples of each label in training, multiplied by their own weights. `'balanced'` gives all labels
   * the same total weight. Labels that are not named have weight 1. Default: weight 1 for all.
   */
  readonly classWeights?: 'balanced' | Readonly<Record<string, number>>;
  /**
   * Alpha of the Beta distribution for blending pairs of examples and their targets, above 0. Inputs of the trained
   * layers are blended: features if those of the frozen layers are cached, else inputs of the network. Default: no
   * blending.
   *
   * Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018; on features Verma et al., "Manifold Mixup", 2019.
   */
  readonly mixup?: number;
  /**
   * Alpha of the Beta distribution of the size of a rectangle that is copied from one example into another, above 0;
   * pictures or feature maps only. If `mixup` is given too, each batch uses one of the two. Default: no CutMix.
   *
   * Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", 2019.
   */
  readonly cutMix?: number;
  /** Optimizer: a name, or a value of `adam()`, `sgd()` … from `transferkit/optimizers`. Default `'adam'`. */
  readonly optimizer?: OptimizerName | Optimizer;
  /**
   * Schedule of the learning rate: a name, `{ name, options, warmUp }`, a value of `cosine()`, `oneCycle()` … from
   * `transferkit/schedules`, or a function. Default: `'cosine'`; in `fineTune` after a warm-up of
   * four tenths of the run.
   */
  readonly schedule?: ScheduleName | ScheduleSettings | Schedule;
  /** Limits gradients. Default: no limit. */
  readonly clip?: Clipping;
  /**
   * Mode of BatchNorm layers that are not frozen. `'inference'` uses their stored statistics, and does not change them.
   * `'train'` uses mean and variance of each batch, and updates the stored statistics as in Keras, with the layer's
   * momentum or the given one. Use it with many examples in batches of 16 or more; with few examples the statistics of
   * the base are better. Statistics are updated after every batch, also between two steps of
   * `gradientAccumulationSteps`. They are not part of `ema`, because they are averages already. If a batch has a single
   * value for a channel, the variance of the channel is 0. Default `'inference'`.
   */
  readonly batchNorm?: 'inference' | 'train' | { readonly momentum: number };
  /** Keeps exponential moving averages of the weights. Default false. */
  readonly ema?: boolean | AveragingOptions;
  /** Figure that decides which epoch is best. Default `'validationLoss'` if there is validation. */
  readonly monitor?: Monitor;
  /**
   * Whether the model gets the weights of the epoch with the best value of `monitor` at the end. If `monitor` is a
   * figure of validation and the head was trained before, the initial weights are measured too (`log.before`) and are
   * restored if no epoch is better; `log.best.epoch` is then -1, or `initialEpoch - 1`. Early stopping and schedules
   * ignore the initial weights, as in Keras. Default true; false in `fineTune` where it blends, unless `monitor` or
   * `earlyStopping` is given.
   */
  readonly restoreBest?: boolean;
  /**
   * Stops training when `monitor` stops improving: `true`, a number of epochs of patience, or an object with details.
   * Default false.
   */
  readonly earlyStopping?: boolean | number | EarlyStoppingOptions;
  /**
   * Time limit in seconds from the call of the verb, including reading and features, and in `fineTune` the training of
   * the head. Training stops between two batches, early enough for a last validation, which takes as long as the one
   * before. If the time ends before the first batch, or while features are computed, `epochs` of the log is empty and the
   * weights are those of before (in `fineTune` with the head that it has solved). A solver that has its features runs to
   * its end. `stoppedBy` of the log is `'time'`. Default `Infinity`: no limit.
   */
  readonly maxSeconds?: number;
  /**
   * Writes checkpoints of the run, so that `resume` can continue it after the process was killed. Default: no
   * checkpoints.
   */
  readonly checkpoint?: CheckpointOptions;
  /**
   * Continues from the newest checkpoint in `checkpoint.to`, which the same call on the same model and samples must
   * have written; starts from the beginning if there is none. On the same backend, weights and log become bit for bit
   * those of a run that was never interrupted, except for times. A finished run ends at once, unless `epochs` is higher
   * than before: then it continues after its last epoch, with the schedule and default rates of the longer run (with a
   * schedule that falls to 0 the rate rises again). `onEpoch` is called for epochs of this process only; the previous
   * process may have reported one of them already. Default false: existing checkpoints are replaced.
   */
  readonly resume?: boolean;
  /** Seed of the order of examples, of dropout and of the held-out share. Default 0. */
  readonly seed?: number;
  /**
   * Whether and how features of the frozen layers before the first trained one are kept, so that these layers run once
   * for each example. Default true. With false the whole network runs in every epoch; the result is the same if every
   * example can be read.
   */
  readonly cache?: boolean | FeatureCacheOptions;
  /**
   * Augmentation of the training inputs, not of validation; each example has its own seed. `'light'`, `'standard'`,
   * `'strong'` or `'trivial'` for pictures, operations of `transferkit/augment` in order
   * (`[flip(), rotate({ degrees: 15 })]`), or a custom function. Default `'none'`.
   */
  readonly augment?: AugmentOption;
  /**
   * Number of augmented views of each example, a whole number from 1. A solver fits them besides the example itself.
   * Training by gradients uses only them: epoch e uses view e mod `views`, and features of
   * all views are kept. Default `'fresh'`: every epoch has its own views, so the frozen layers run again in every
   * epoch; only their features for validation are kept.
   */
  readonly views?: number | 'fresh';
  /** Stops training between two batches; the model stays usable, and `stoppedBy` of the log is `'signal'`. */
  readonly signal?: AbortSignal;
  /**
   * Called after every batch, and awaited. An error that it throws or rejects with rejects the verb; the model then has
   * the weights of the last whole epoch. This holds for every function among the options.
   */
  readonly onProgress?: (progress: Progress) => unknown;
  /** Called after every epoch, and awaited, as `onProgress` is. `phase` is `'head'` or `'fineTune'`. */
  readonly onEpoch?: (epoch: EpochReport) => unknown;
}

/** Validated options, with all defaults filled in. */
export interface SettledOptions {
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly batchSize: number;
  readonly gradientAccumulationSteps: number;
  readonly loss: LossOption | undefined;
  readonly lossWeights: TrainingOptions['lossWeights'];
  readonly labelSmoothing: number;
  readonly classWeights: TrainingOptions['classWeights'];
  readonly mix: SettledMix | undefined;
  readonly optimizer: Optimizer;
  readonly schedule: AdaptiveSchedule;
  readonly clip: SettledClipping | undefined;
  /** Undefined momentum: that of each layer. */
  readonly batchNorm: 'inference' | { readonly momentum?: number };
  readonly ema: SettledAveraging | undefined;
  readonly watch: SettledWatch;
  readonly maxSeconds: number;
  readonly checkpoint: SettledCheckpoint | undefined;
  readonly seed: number;
  /** Undefined: no features are kept. */
  readonly cache: SettledCache | undefined;
  readonly augment: SettledAugmentation | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => unknown) | undefined;
  readonly onEpoch: ((epoch: EpochReport) => unknown) | undefined;
}

/** Options with those that have another default in every verb. */
export type VerbOptions = TrainingOptions & Required<Pick<TrainingOptions, 'epochs' | 'schedule'>>;

/**
 * Validates options and fills in defaults. `validation` is settled by `holdOut`.
 *
 * @param run - The base, and whether there are samples to validate on.
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleOptions(
  options: VerbOptions,
  { base, validated }: { readonly base: AnyModel['base']; readonly validated: boolean },
): SettledOptions {
  const { initialEpoch = 0, batchSize = 32, gradientAccumulationSteps = 1, seed = 0 } = options;
  const { epochs, labelSmoothing = 0, maxSeconds = Infinity } = options;
  assertWhole('initialEpoch', initialEpoch, 0);
  assertWhole('epochs', epochs, initialEpoch + 1);
  assertWhole('batchSize', batchSize, 1);
  assertWhole('gradientAccumulationSteps', gradientAccumulationSteps, 1);
  assertWhole('seed', seed, 0);
  assertShare('labelSmoothing', labelSmoothing);
  if (maxSeconds !== Infinity) assertRate('maxSeconds', maxSeconds);
  return {
    epochs,
    initialEpoch,
    batchSize,
    gradientAccumulationSteps,
    loss: options.loss,
    lossWeights: options.lossWeights,
    labelSmoothing,
    classWeights: options.classWeights,
    mix: settleMix(options),
    optimizer: settleOptimizer(options.optimizer ?? 'adam'),
    schedule: settleSchedule(options.schedule),
    clip: settleClipping(options.clip),
    batchNorm: settleBatchNorm(options.batchNorm),
    ema: settleAveraging(options.ema),
    watch: settleWatch(options, validated),
    maxSeconds,
    checkpoint: settleCheckpoint(options.checkpoint, options.resume),
    seed,
    cache: settleCache(options.cache),
    augment: settleAugmentation({ augment: options.augment, views: options.views, seed, epochs, model: { base } }),
    signal: options.signal,
    onProgress: options.onProgress,
    onEpoch: options.onEpoch,
  };
}

function settleBatchNorm(option: TrainingOptions['batchNorm'] = 'inference'): SettledOptions['batchNorm'] {
  if (isObject(option)) {
    assertOptions(option, { momentum: true }, { of: 'batchNorm' });
    assertShare('batchNorm.momentum', option.momentum);
    return { momentum: option.momentum };
  }
  assertOneOf('batchNorm', option, ['inference', 'train']);
  return option === 'train' ? {} : option;
}
