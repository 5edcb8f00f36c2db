// Restores settings that tfjs does not write into a topology, from the shapes of the weights.
import type { LayerGraph, LayerSpec } from '../../core/graphs.ts';
import type { WeightSource } from '../../core/weightSource.ts';

/** The graph with the `depth_multiplier` of every SeparableConv2D: tfjs leaves it out of the layer's configuration. */
export function withLostSettings(graph: LayerGraph, weights: WeightSource): LayerGraph {
  const restored = (layer: LayerSpec): LayerSpec => {
    const multiplier = weights.shapeOf(`${layer.name}/depthwise_kernel`)?.[3];
    const isLost = layer.className === 'SeparableConv2D' && (layer.config.depth_multiplier ?? null) === null;
    return isLost && multiplier !== undefined
      ? { ...layer, config: { ...layer.config, depth_multiplier: multiplier } }
      : layer;
  };
  return { ...graph, layers: new Map([...graph.layers].map(([name, layer]) => [name, restored(layer)])) };
}
