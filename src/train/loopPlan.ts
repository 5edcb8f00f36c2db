// What a training run is made of: every option has its value.
import type { TransferModel } from '../core/model.ts';
import type { TrunkWeight } from '../core/types.ts';
import type { Examples } from './examples.ts';
import type { SettledLoss } from './losses.ts';
import type { Network } from './network.ts';
import type { SettledOptions } from './options.ts';
import type { SettledRates } from './rates.ts';

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

/** A run, the same in all its segments. */
export interface Run extends TrainingPlan {
  readonly model: TransferModel;
  readonly network: Network;
  readonly loss: SettledLoss;
  /** How much an example with some target counts. */
  readonly classWeight: ((target: Float32Array) => number) | undefined;
}

/** The epochs of a segment and their examples. */
export interface Stretch {
  readonly epoch: number;
  /** Epoch to stop before. */
  readonly until: number;
  readonly trainable: readonly TrunkWeight[];
  readonly train: Examples;
  readonly validation: Examples | undefined;
}
