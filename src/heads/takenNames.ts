// Names in a base that a head must not use again.
import type { Trunk } from '../core/types.ts';
import { isGraphTrunk } from '../networks/run/graphTrunk.ts';
import { layersTrunkOf } from '../networks/run/layersTrunk.ts';

/** Names of layers, or of nodes and of what they begin with. */
export function takenNames(base: Trunk): ReadonlySet<string> {
  if (isGraphTrunk(base)) return new Set(base.nodes.nodes.flatMap(({ name }) => [name, name.split('/')[0] ?? name]));
  return new Set(layersTrunkOf(base).graph.layers.keys());
}
