// Counts the trained and the frozen parameters of a run.
import { sizeOf } from '../../core/shapes.ts';
import type { AnyModel } from '../../model/model.ts';
import type { TrainingLog } from '../../core/logs.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { Segment } from '../state/plan.ts';

/** Counts parameters that train in any segment as trained. */
export function countParameters({ base, head }: AnyModel, segments: readonly Segment[]): TrainingLog['parameters'] {
  const count = (weights: readonly TrunkWeight[]) => weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
  const trained = count([...new Set(segments.flatMap(({ trainable }) => trainable))]);
  return { trained, frozen: count([...base.trunk.weights, ...head.trunk.weights]) - trained };
}
