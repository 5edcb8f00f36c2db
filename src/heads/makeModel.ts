// Puts a base and its heads together.
import { byHead } from '../core/headParts.ts';
import type { AnyModel, Base, Head } from '../core/model.ts';
import type { TrainingLog } from '../core/types.ts';

/** A model of the two; its `dispose` frees both. The tasks and labels of its parts are the head's. */
export function makeModel(base: Base, head: Omit<Head, 'task'>, history: readonly TrainingLog[] = []): AnyModel {
  const { parts, trunk, trained } = head;
  return {
    base,
    head: { task: byHead(parts, ({ task }) => task), parts, trunk, trained },
    labels: byHead(parts, ({ labels }) => labels),
    history,
    dispose: () => {
      trunk.dispose();
      base.dispose();
    },
  };
}
