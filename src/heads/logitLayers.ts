// Finds the last layers of a head, which give its logits.
import { internalError } from '../core/errors.ts';
import type { Head, HeadPart, Tasks } from '../model/model.ts';
import type { TaskName } from '../model/tasks/tasks.ts';
import type { TrunkWeight } from '../core/types.ts';
import { layerOf } from '../networks/graphs/layerGraph.ts';
import { logitsOf } from '../networks/write/headGraph.ts';

/** The layer that gives one head's logits. */
export interface LogitLayer {
  readonly name: string;
  readonly className: string;
  /** Whether dividing the layer's weights only divides the logits: a dense layer without activation or constraint. */
  readonly isLinear: boolean;
  readonly weights: readonly TrunkWeight[];
}

/** The last layer of one of a model's heads. */
export function logitLayer({ trunk, parts }: Head<TaskName | Tasks>, part: HeadPart): LogitLayer {
  const { weights } = trunk;
  const { graph } = trunk.layers;
  const exit = logitsOf(graph, parts.length)[parts.indexOf(part)];
  if (exit === undefined) throw internalError(`no logits of head ${part.name}`);
  const { name, className, config } = layerOf(graph, exit.call);
  const readers = graph.calls.flatMap(({ inputs }) => inputs.filter(({ call }) => call === exit.call));
  const isOnce = graph.calls.filter((_, call) => layerOf(graph, call).name === name).length === 1;
  const isFree = [config.kernel_constraint, config.bias_constraint].every(
    (limit) => limit === undefined || limit === null,
  );
  return {
    name,
    className,
    isLinear:
      className === 'Dense' &&
      (config.activation ?? 'linear') === 'linear' &&
      isFree &&
      isOnce &&
      readers.length === (parts.length === 1 ? 0 : 1),
    weights: weights.filter((weight) => weight.layer === name),
  };
}
