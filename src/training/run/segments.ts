// Parts of a run in which the same weights move.
import type { TrunkWeight } from '../../core/types.ts';
import type { Segment } from './loopPlan.ts';
import { isMovable } from '../../model/network.ts';

/** A segment in which what is unfrozen now moves. */
export function segmentNow(epoch: number, weights: readonly TrunkWeight[]): Segment {
  return { epoch, unfrozen: weights.filter(({ frozen }) => !frozen), trainable: weights.filter(isMovable) };
}
