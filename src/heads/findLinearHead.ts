// Checks whether a head is linear in its input features, so that its weights can be solved for.
import type { TensorRef } from '../core/graphs.ts';
import type { LinearEnd, LinearHead } from '../model/linearHead.ts';
import type { AnyModel, HeadPart } from '../model/model.ts';
import { isStochastic } from '../networks/run/applyLayer.ts';
import { layerOf } from '../networks/graphs/layerGraph.ts';
import type { LayerNetwork, LayersTrunk } from '../core/types.ts';
import { logitsOf } from '../networks/write/headGraph.ts';

/**
 * The dense layers of a head, if they hold all weights that training may move and are linear in the features: each has
 * a bias, no activation, penalty or constraint, and only dropout before it. Otherwise the reason why not.
 */
export function linearHeadOf({ base, head }: AnyModel): LinearHead | string {
  const { trunk } = head;
  const stage = trunk.stages.length - 1;
  const refs = logitsOf(trunk.layers.graph, head.parts.length);
  const ends: LinearEnd[] = [];
  for (const [place, part] of head.parts.entries()) {
    const ref = refs[place];
    const end = ref === undefined ? 'no logits' : endAt(trunk, ref, stage, part);
    if (typeof end === 'string') return end;
    ends.push(end);
  }
  const own = new Set(ends.flatMap(({ kernel, bias }) => [kernel, bias]));
  const other = trunk.weights.find((weight) => !weight.frozen && !own.has(weight));
  if (other !== undefined) return `'${other.name}' is to be trained too`;
  const frozen = [...own].find((weight) => weight.frozen);
  if (frozen !== undefined) return `'${frozen.name}' is frozen`;
  return { entry: base.trunk.stages.length + stage, width: ends[0]?.kernel.shape[0] ?? 0, ends };
}

function endAt(trunk: LayersTrunk, ref: TensorRef, stage: number, part: HeadPart): LinearEnd | string {
  const { weights } = trunk;
  const { graph, boundaries } = trunk.layers;
  const { name, className, config } = layerOf(graph, ref.call);
  if (className !== 'Dense') return `it ends in '${name}' (${className}), not in a dense layer`;
  if (config.use_bias === false) return `'${name}' has no bias`;
  const activation = String(config.activation ?? 'linear');
  if (activation !== 'linear') return `'${name}' has an activation (${activation})`;
  const obstacle = obstacles.find((key) => (config[key] ?? null) !== null);
  if (obstacle !== undefined) return `'${name}' has a ${obstacle.replace('_', ' ')}`;
  const before = whatIsRead(trunk.layers, ref, boundaries[stage] ?? 0);
  if (before !== undefined) return before;
  const [kernel, bias] = ['kernel', 'bias'].map((own) => weights.find((weight) => weight.name === `${name}/${own}`));
  if (kernel === undefined || bias === undefined) return `'${name}' has weights other than a kernel and a bias`;
  return { part, kernel, bias };
}

/** Penalties and constraints, which the convex problem would leave out. */
const obstacles = [
  'kernel_regularizer',
  'bias_regularizer',
  'activity_regularizer',
  'kernel_constraint',
  'bias_constraint',
] as const;

/** Undefined if a layer reads the entering features, directly or after dropout; otherwise the reason why not. */
function whatIsRead({ graph, shapes }: LayerNetwork, { call }: TensorRef, entry: number): string | undefined {
  const name = graph.calls[call]?.layer ?? '';
  if (graph.calls.filter(({ layer }) => layer === name).length > 1) return `'${name}' is used more than once`;
  let before = graph.calls[call]?.inputs[0]?.call ?? 0;
  while (before !== entry && isStochastic(layerOf(graph, before))) before = graph.calls[before]?.inputs[0]?.call ?? 0;
  if (before !== entry) return `'${layerOf(graph, before).name}' stands between dropout and '${name}'`;
  return shapes[before]?.length === 2 ? undefined : `'${name}' reads more than one vector of each example`;
}
