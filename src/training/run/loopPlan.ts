// What a training run is made of: every option has its value.
import type { AnyModel } from '../../model/model.ts';
import type { EpochLog, TrainingLog } from '../../core/logs.ts';
import type { TrunkWeight, Unreadable } from '../../core/types.ts';
import type { Checkpoints } from '../resume/checkpoints.ts';
import type { Examples } from '../../features/examples.ts';
import type { HeadLoss } from '../../losses/headRules.ts';
import type { Network } from '../../model/network.ts';
import type { SettledOptions } from '../options/options.ts';
import type { SettledRates } from '../options/rates.ts';
import type { Sums } from '../../measure/totals.ts';

/** What to train, and how. */
export interface TrainingPlan {
  readonly verb: string;
  readonly phase: 'head' | 'fineTune';
  /** One after the other; the first begins with the first epoch. */
  readonly segments: readonly Segment[];
  readonly rates: SettledRates;
  readonly options: SettledOptions;
  /** When the verb was called, by `performance.now()`. */
  readonly startedAt: number;
  /** Why a linear head is trained by steps; undefined for any other training. */
  readonly reason?: string | undefined;
  /** Undefined: there are none. */
  readonly checkpoints?: Checkpoints | undefined;
}

/** Epochs in which the same weights move. */
export interface Segment {
  /** First epoch; it lasts until the next segment begins. */
  readonly epoch: number;
  /** All weights that are not frozen then. */
  readonly unfrozen: readonly TrunkWeight[];
  /** Those of them that move. */
  readonly trainable: readonly TrunkWeight[];
}

/** A segment with all that moves in it. */
interface RunSegment extends Segment {
  /** Statistics of BatchNorm layers in training mode: no gradient moves them. */
  readonly statistics: readonly TrunkWeight[];
}

/** A run, the same in all its segments. */
export interface Run extends TrainingPlan {
  readonly segments: readonly RunSegment[];
  readonly model: AnyModel;
  readonly network: Network;
  readonly loss: HeadLoss;
  /** How much an example with some target counts. */
  readonly classWeight: ((target: Float32Array) => number) | undefined;
}

/** The epochs of a segment and their examples. */
export interface Stretch {
  readonly epoch: number;
  /** Epoch to stop before. */
  readonly until: number;
  readonly trainable: readonly TrunkWeight[];
  readonly statistics: readonly TrunkWeight[];
  readonly train: Examples;
  readonly validation: Examples | undefined;
}

/** Why a run ended before its last epoch. */
export type EarlyEnd = Exclude<TrainingLog['stoppedBy'], 'epochs' | 'converged'>;

/** What is done of an epoch. */
export interface EpochPart {
  readonly epoch: number;
  /** Rows. */
  readonly done: number;
  readonly sums: Sums;
  readonly seconds: number;
}

/** Examples that could not be read so far. */
export interface Skipped {
  readonly train: readonly Unreadable[];
  readonly validation: readonly Unreadable[];
}

/** What a log says of the examples. */
export type RowsReport = Pick<TrainingLog, 'examples' | 'skipped' | 'unfolded' | 'cachedUpTo'>;

/** Where this process begins: at the first epoch, or where an earlier one was. */
export interface Start {
  readonly epoch: number;
  /** What is done of that epoch. */
  readonly part: EpochPart | undefined;
  /** Epochs that are done. */
  readonly epochs: readonly EpochLog[];
  /** Why the run is over, if it is before its last epoch. */
  readonly end: EarlyEnd | undefined;
  readonly skipped: Skipped;
  readonly report: RowsReport;
}
