// Writes a LayerGraph as the topology of a functional Keras 2 model.
import type { LayerGraph, TensorRef } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';
import { layerOf } from '../graphs/layerGraph.ts';

/** Writes the topology of a functional Keras 2 model, as `tf.loadLayersModel` and tensorflowjs_converter read it. */
export function writeTopology(graph: LayerGraph): JsonObject {
  const nodeOf = graph.calls.map(
    (call, index) => graph.calls.slice(0, index).filter((c) => c.layer === call.layer).length,
  );
  const reference = (ref: TensorRef): [string, number, number] => [
    layerOf(graph, ref.call).name,
    nodeOf[ref.call] ?? 0,
    ref.output,
  ];
  const layers = [...graph.layers.values()].map((layer) => ({
    name: layer.name,
    class_name: layer.className,
    config: { ...layer.config, name: layer.name },
    inbound_nodes: graph.calls
      .filter((call) => call.layer === layer.name && call.inputs.length > 0)
      .map((call) => call.inputs.map((ref) => [...reference(ref), call.kwargs])),
  }));
  const config = {
    name: graph.name,
    layers,
    input_layers: [reference({ call: 0, output: 0 })],
    output_layers: graph.outputs.map(reference),
  };
  return { class_name: 'Model', config, keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' };
}
