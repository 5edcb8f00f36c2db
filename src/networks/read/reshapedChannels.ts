// Gives Reshape layers their last axis where Keras leaves it open: tfjs would take the -1 for the length, and a layer
// with weights behind it could not be built.
import { isJsonList, numericOf } from '../../core/json.ts';
import type { LayerGraph } from '../../core/graphs.ts';
import { inferShapes } from '../graphs/inferShapes.ts';

/** The graph with `target_shape` ending in a number wherever that follows from the input of the network. */
export function withReshapedChannels(graph: LayerGraph): LayerGraph {
  const open = [...graph.layers.values()].filter(({ className, config }) => {
    const target = className === 'Reshape' && isJsonList(config.target_shape) ? config.target_shape : [0];
    return numericOf(target.at(-1) ?? -1) < 0;
  });
  if (open.length === 0) return graph;
  const shapes = inferShapes(graph);
  const layers = new Map(graph.layers);
  for (const layer of open) {
    const channels = shapes[graph.calls.findIndex((call) => call.layer === layer.name)]?.at(-1);
    const target = layer.config.target_shape;
    if (typeof channels !== 'number' || !isJsonList(target)) continue;
    layers.set(layer.name, { ...layer, config: { ...layer.config, target_shape: [...target.slice(0, -1), channels] } });
  }
  return { ...graph, layers };
}
