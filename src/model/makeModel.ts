// Puts a base and its heads together.
import { byHead } from './headParts.ts';
import { forgetInference } from './inference.ts';
import type { AnyModel, Base, Head } from './model.ts';
import { addOwner, removeOwner } from './owners.ts';
import { disposal } from '../core/disposal.ts';
import type { TrainingLog } from '../core/logs.ts';

/**
 * A model of the two; its `dispose` frees the head, and the base with its last model. The tasks and labels of its parts
 * are the head's.
 */
export function makeModel(base: Base, head: Omit<Head, 'task'>, history: readonly TrainingLog[] = []): AnyModel {
  const { parts, trunk, trained } = head;
  addOwner(base, trunk);
  const task = byHead(parts, (part) => part.task);
  return {
    task,
    base,
    head: { task, parts, trunk, trained },
    labels: byHead(parts, ({ labels }) => labels),
    history,
    ...disposal(),
    dispose: () => {
      forgetInference(base.trunk);
      trunk.dispose();
      removeOwner(base, trunk);
    },
  };
}
