// What there is to solve for in a head that is linear. Types only.
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

/** A head, or several, that is linear behind some stage. */
export interface LinearHead {
  /** Stage of the network at which features enter what is linear. Dropout behind it is for training by steps alone. */
  readonly entry: number;
  /** Values of each example there. */
  readonly width: number;
  readonly ends: readonly LinearEnd[];
}
