// What a training run is made of: every option has its value.
import type { TransferModel } from '../core/model.ts';
import type { EpochLog, TrunkWeight } from '../core/types.ts';
import type { Examples } from './examples.ts';
import type { Network } from './network.ts';
import type { Optimizer } from './optimizers.ts';
import type { Schedule } from './schedules.ts';

/** The plan of one run of the loop. */
export interface LoopPlan {
  readonly verb: string;
  readonly model: TransferModel;
  readonly network: Network;
  readonly train: Examples;
  readonly validation: Examples | undefined;
  /** Weights that move, with the learning rate of each. */
  readonly trainable: readonly TrunkWeight[];
  readonly learningRate: { readonly head: number; readonly base?: number };
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** First epoch, and the one to stop before. */
  readonly initialEpoch: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly onEpoch: ((epoch: EpochLog) => void) | undefined;
}
