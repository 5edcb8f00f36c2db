// Parts of a linear head that the solver needs. Types only.
import type { HeadPart } from './model.ts';
import type { TrunkWeight } from '../core/types.ts';

/** A dense layer that gives the logits of one head. */
export interface LinearEnd {
  readonly part: HeadPart;
  /** [width, units] */
  readonly kernel: TrunkWeight;
  /** [units] */
  readonly bias: TrunkWeight;
}

/** One or several heads that are linear after some stage. */
export interface LinearHead {
  /** Stage of the network where the features enter the linear part. Dropout after it only acts in training by steps. */
  readonly entry: number;
  /** Number of values of each example at that stage. */
  readonly width: number;
  readonly ends: readonly LinearEnd[];
}
