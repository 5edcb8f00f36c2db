// Parts of a run that train the same weights.
import type { TrunkWeight } from '../../core/types.ts';
import type { Segment } from '../state/plan.ts';
import { isMovable } from '../../model/network.ts';

/** A segment that trains the weights that are unfrozen now. */
export function segmentNow(epoch: number, weights: readonly TrunkWeight[]): Segment {
  return { epoch, unfrozen: weights.filter(({ frozen }) => !frozen), trainable: weights.filter(isMovable) };
}
