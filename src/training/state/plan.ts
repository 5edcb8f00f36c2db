// Types of a training run: its plan, segments and progress.
import type { AnyModel } from '../../model/model.ts';
import type { EpochLog, TrainingLog } from '../../core/logs.ts';
import type { Samples, TrunkWeight, Unreadable } from '../../core/types.ts';
import type { Examples } from '../../features/examples.ts';
import type { HeadLoss } from '../../losses/headRules.ts';
import type { Network } from '../../model/network.ts';
import type { SettledBlend } from '../options/blendOptions.ts';
import type { SettledOptions } from '../options/options.ts';
import type { SettledRates } from '../options/rates.ts';
import type { Sums } from '../../measure/totals.ts';

/** The plan of a run: model, segments and validated options. */
export interface TrainingPlan {
  readonly phase: 'head' | 'fineTune';
  readonly samples: SplitSamples;
  /** In order; the first begins with the first epoch. */
  readonly segments: readonly Segment[];
  readonly rates: SettledRates;
  readonly options: SettledOptions;
  /** Time of the verb's call, from `performance.now()`. */
  readonly startedAt: number;
  /** Undefined: the weights before the run are not blended with those after it. */
  readonly blend?: SettledBlend | undefined;
  /** Why a linear head is trained by gradients; undefined for any other training. */
  readonly reason?: string | undefined;
  /** What the log says about the choice of the options. */
  readonly chosen?: Pick<TrainingLog, 'settings' | 'reasons'>;
}

/** Consecutive epochs that train the same weights. */
export interface Segment {
  /** First epoch; it lasts until the next segment begins. */
  readonly epoch: number;
  /** All weights that are not frozen in this segment. */
  readonly unfrozen: readonly TrunkWeight[];
  /** Those of them that are trained. */
  readonly trainable: readonly TrunkWeight[];
}

/** A segment with all weights that change in it. */
interface RunSegment extends Segment {
  /** Statistics of BatchNorm layers in training mode; they have no gradient. */
  readonly statistics: readonly TrunkWeight[];
}

/** Samples to train and validate on. */
export interface SplitSamples {
  readonly train: Samples;
  readonly validation: Samples | undefined;
  /** How those for validation were taken from the others; missing if they were not. */
  readonly held?: HeldOut;
}

/** Examples held out by a share that the user chose, or by `'auto'`, which may hold out none. */
type HeldOut =
  | { readonly by: 'share' | 'auto'; readonly examples: number }
  | { readonly by: 'auto'; readonly examples?: never; readonly obstacle: string };

/** A run: everything that is the same in all its segments. */
export interface Run extends TrainingPlan {
  readonly segments: readonly RunSegment[];
  readonly model: AnyModel;
  readonly network: Network;
  readonly loss: HeadLoss;
  /** Weight of an example by its target. */
  readonly classWeight: ((target: Float32Array) => number) | undefined;
}

/** The epochs of a segment and their examples. */
export interface Stretch {
  readonly epoch: number;
  /** Epoch before which the stretch ends. */
  readonly until: number;
  readonly trainable: readonly TrunkWeight[];
  readonly statistics: readonly TrunkWeight[];
  readonly train: Examples;
  readonly validation: Examples | undefined;
}

/** Why a run ended before its last epoch. */
export type EarlyEnd = Exclude<TrainingLog['stoppedBy'], 'epochs' | 'converged'>;

/** The finished part of an epoch. */
export interface EpochPart {
  readonly epoch: number;
  /** Number of finished rows. */
  readonly done: number;
  readonly sums: Sums;
  readonly seconds: number;
}

/** Examples that could not be read, so far. */
export interface Skipped {
  readonly train: readonly Unreadable[];
  readonly validation: readonly Unreadable[];
}

/** Facts about the examples for the log. */
export type RowsReport = Pick<TrainingLog, 'examples' | 'skipped' | 'unfolded' | 'engine' | 'leftToOwn' | 'cachedUpTo'>;

/** Where this process starts: at the first epoch, or where an earlier process stopped. */
export interface Start {
  readonly epoch: number;
  /** The finished part of that epoch. */
  readonly part: EpochPart | undefined;
  /** Finished epochs. */
  readonly epochs: readonly EpochLog[];
  /** Why the run ended, if it ended before its last epoch. */
  readonly end: EarlyEnd | undefined;
  readonly skipped: Skipped;
  readonly report: RowsReport;
}

/** Facts about the examples that a run has read so far. */
export type KnownRows = Pick<Start, 'skipped' | 'report'>;
