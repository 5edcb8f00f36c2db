// Puts a base and a head together.
import type { Base, Head, TransferModel } from '../core/model.ts';
import type { TrainingLog } from '../core/types.ts';

/** A model of the two; its `dispose` frees both. */
export function makeModel(
  base: Base,
  head: Head,
  labels: readonly string[],
  history: readonly TrainingLog[] = [],
): TransferModel {
  return {
    base,
    head,
    labels,
    history,
    dispose: () => {
      head.trunk.dispose();
      base.dispose();
    },
  };
}
