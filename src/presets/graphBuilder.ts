// Builds a LayerGraph in the style of Keras code: one call per layer, which returns the tensor for the next one.
import type { LayerCall, LayerGraph, LayerSpec, TensorRef } from '../core/graphs.ts';
import { internalError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { orderAsKeras } from '../networks/graphs/kerasOrder.ts';
import { inputLayer } from '../networks/graphs/layerGraph.ts';

/** A tensor of the network: the call that gives it, and its number of channels. */
export interface Place extends TensorRef {
  readonly channels: number;
}

/** Keras configuration of a layer in snake_case, without the name. */
export type LayerConfig = Readonly<Record<string, Json>>;

/** Collects layers and their calls. */
export interface GraphBuilder {
  readonly input: Place;
  /**
   * Adds a layer and its only call.
   *
   * @param channels - Of the output. Default: those of the first input.
   */
  layer(
    className: string,
    name: string,
    inputs: Place | readonly Place[],
    config?: LayerConfig,
    channels?: number,
  ): Place;
  /** The name that Keras gives to an unnamed layer in a fresh session: `re_lu`, `re_lu_1`, … for the prefix `re_lu`. */
  autoName(prefix: string): string;
  /** The finished network, its layers and calls in Keras's order. */
  graph(output: Place): LayerGraph;
}

/** Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html. The default of Keras; tfjs has another. */
const glorot: LayerConfig = { class_name: 'GlorotUniform', config: { seed: null } };

/** Defaults of Keras that differ in tfjs. */
const defaults: Readonly<Record<string, LayerConfig>> = {
  Conv2D: { kernel_initializer: glorot },
  GroupedConv2D: { kernel_initializer: glorot },
  Dense: { kernel_initializer: glorot },
  DepthwiseConv2D: { depthwise_initializer: glorot },
  SeparableConv2D: { depthwise_initializer: glorot, pointwise_initializer: glorot },
};

/**
 * Starts a network with one picture as input.
 *
 * @param name - Of the model, as Keras names it (`mobilenetv2_1.00_224`).
 * @param inputSize - Height and width; `null` for free axes.
 */
export function buildGraph(
  name: string,
  inputSize: readonly [number | null, number | null],
  inputName = 'input_layer',
): GraphBuilder {
  const input = inputLayer(inputName, [...inputSize, 3]);
  const layers = new Map<string, LayerSpec>([[input.name, input]]);
  const calls: LayerCall[] = [{ layer: input.name, inputs: [], kwargs: {} }];
  const named = new Map<string, number>();
  return {
    input: { call: 0, output: 0, channels: 3 },
    layer(className, layerName, inputs, config = {}, channels) {
      if (layers.has(layerName)) throw internalError(`two layers named ${layerName} in ${name}`);
      const read = isList(inputs) ? inputs : [inputs];
      const full: JsonObject = {
        name: layerName,
        trainable: true,
        dtype: 'float32',
        ...structuredClone(defaults[className]),
        ...config,
      };
      layers.set(layerName, { name: layerName, className, config: full, path: [layerName] });
      calls.push({ layer: layerName, inputs: read.map(({ call, output }) => ({ call, output })), kwargs: {} });
      return { call: calls.length - 1, output: 0, channels: channels ?? read[0]?.channels ?? 0 };
    },
    autoName(prefix) {
      const count = named.get(prefix) ?? 0;
      named.set(prefix, count + 1);
      return count === 0 ? prefix : `${prefix}_${String(count)}`;
    },
    graph: ({ call, output }) => orderAsKeras({ name, layers, calls, outputs: [{ call, output }] }),
  };
}

function isList(inputs: Place | readonly Place[]): inputs is readonly Place[] {
  return Array.isArray(inputs);
}
