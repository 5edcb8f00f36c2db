// Writes a LayerGraph as the configuration of a functional Keras 3 model.
import { TransferKitError } from '../../core/errors.ts';
import type { LayerGraph, LayerSpec, TensorRef } from '../../core/graphs.ts';
import { textOf, type JsonObject } from '../../core/json.ts';
import type { Shape } from '../../core/types.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { kerasLayer } from './kerasLayers.ts';
import { kerasObject } from './kerasValues.ts';

/** What a configuration needs besides the graph. */
export interface KerasFacts {
  /** Shape of the output of a call, with the batch axis. */
  readonly shapeOf: (call: number) => Shape;
  /** Whether a layer trains, by its name. */
  readonly trains: (layer: string) => boolean;
}

/** A functional model of Keras. */
export interface KerasTopology {
  readonly config: JsonObject;
  /** Keras's class of every layer, by name. */
  readonly classes: ReadonlyMap<string, string>;
}

/**
 * Writes the configuration of a functional model, as `keras.models.load_model` reads it.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that Keras does not have.
 */
export function writeKerasTopology(graph: LayerGraph, facts: KerasFacts): KerasTopology {
  const nodes = numberCalls(graph);
  const reference = ({ call, output }: TensorRef) => [layerOf(graph, call).name, nodes[call] ?? 0, output];
  const tensor = (ref: TensorRef): JsonObject => ({
    class_name: '__keras_tensor__',
    config: { shape: [...facts.shapeOf(ref.call)], dtype: 'float32', keras_history: reference(ref) },
  });
  const unknown: LayerSpec[] = [];
  const layers = [...graph.layers.values()].flatMap((layer): JsonObject[] => {
    const calls = graph.calls.filter((call) => call.layer === layer.name);
    const [first] = calls.flatMap(({ inputs }) => inputs);
    const input = first === undefined ? [] : facts.shapeOf(first.call);
    const description =
      layer.className === 'InputLayer'
        ? inputOf(layer)
        : kerasLayer(layer, { input, trainable: facts.trains(layer.name) });
    if (description === undefined) unknown.push(layer);
    const inbound = calls
      .filter(({ inputs }) => inputs.length > 0)
      .map(({ inputs, kwargs }) => {
        const tensors = inputs.map(tensor);
        return { args: tensors.length === 1 ? tensors : [tensors], kwargs };
      });
    return description === undefined ? [] : [{ ...description, name: layer.name, inbound_nodes: inbound }];
  });
  if (unknown.length > 0) throw withoutForm(unknown);
  const outputs = graph.outputs.map(reference);
  const config: JsonObject = {
    name: kerasName(graph.name),
    trainable: true,
    layers,
    input_layers: reference({ call: 0, output: 0 }),
    output_layers: outputs.length === 1 ? (outputs[0] ?? []) : outputs,
  };
  return {
    config: kerasObject('keras.src.models.functional', 'Functional', config),
    classes: new Map(layers.map(({ name, class_name: className }) => [textOf(name), textOf(className)])),
  };
}

/**
 * A name that Keras takes: without `/`, and of the characters that TensorFlow's scopes have. Others become `_`.
 */
export function kerasName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]/g, '_');
  return /^[A-Za-z0-9.]/.test(plain) ? plain : `layer${plain}`;
}

function inputOf({ name, config }: LayerSpec): JsonObject {
  const { batch_input_shape: shape = [], dtype = 'float32' } = config;
  return kerasObject('keras.layers', 'InputLayer', { name, batch_shape: shape, dtype, sparse: false });
}

/** The number of each call among those of its layer. */
function numberCalls({ calls }: LayerGraph): number[] {
  const counts = new Map<string, number>();
  return calls.map(({ layer }) => {
    const number = counts.get(layer) ?? 0;
    counts.set(layer, number + 1);
    return number;
  });
}

function withoutForm(layers: readonly LayerSpec[]): TransferKitError {
  const listed = layers.slice(0, 10).map(({ name, className, config: { activation } }) => {
    const detail = typeof activation === 'string' ? `, activation '${activation}'` : '';
    return `'${name}' (${className}${detail})`;
  });
  const more = layers.length > 10 ? ` and ${String(layers.length - 10)} more` : '';
  const text =
    `expected layers that Keras 3 has, got ${listed.join(', ')}${more}. Export to 'graphModel' or 'onnx', or keep ` +
    'the model with save.';
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layers: layers.map(({ name }) => name) });
}
