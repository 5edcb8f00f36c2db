// Collects the layers and calls of a topology, and reads its parts.
import type { LayerCall, LayerSpec, TensorRef } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { classNameOf, isJsonList, isJsonObject, textOf, type JsonObject } from '../../core/json.ts';
import { plainLayer, type Origin } from './keras3.ts';
import { mostCalls } from '../graphs/limits.ts';
import { notAModel } from './notAModel.ts';

/** Collected layers and calls. */
export interface Draft {
  readonly layers: Map<string, LayerSpec>;
  readonly calls: LayerCall[];
  readonly notes: string[];
  readonly origin: Origin;
  /** Number of calls so far, including calls of nested models and of layers that are left out. */
  work: number;
}

/** The outputs of a call, by index. */
export type Outputs = (output: number) => TensorRef | undefined;

/**
 * Raises if there are too many calls. A short file can describe a very long network by nesting models that are called
 * twice.
 */
export function countWork(draft: Draft): void {
  draft.work++;
  if (draft.work > mostCalls) throw tooManyLayers();
}

export function tooManyLayers(): TransferKitError {
  const text =
    `expected a network of at most ${String(mostCalls)} layers, those of nested models once for each call, got ` +
    'more. Take a smaller network, or load a part of it as a model of its own.';
  return new TransferKitError('OUT_OF_RANGE', text, { most: mostCalls });
}

export function pushCall(draft: Draft, spec: LayerSpec, inputs: readonly TensorRef[], kwargs: JsonObject): Outputs {
  draft.layers.set(spec.name, spec);
  const call = draft.calls.push({ layer: spec.name, inputs, kwargs }) - 1;
  return (output) => ({ call, output });
}

/** The spec of a layer, with a name that no other layer of the flattened graph has. */
export function layerSpec(draft: Draft, layer: JsonObject, path: readonly string[]): LayerSpec {
  const own = layerName(layer);
  const known = draft.layers.get(own);
  const taken = known !== undefined && known.path.join('/') !== path.join('/');
  const name = taken ? path.join('/') : own;
  const other = taken ? draft.layers.get(name) : undefined;
  if (other !== undefined && other.path.join('/') !== name) throw notAModel(`two layers named '${name}'`);
  const plain = plainLayer(layer, draft.origin);
  const className = classNameOf(plain.class_name);
  const config = configOf(plain);
  return {
    name,
    className,
    config: className === 'InputLayer' ? config : withoutInputShape(config),
    path,
  };
}

/**
 * Only an InputLayer needs the shape of the input. If the first layer of a Sequential keeps it, tfjs raises an error
 * for any other input size.
 */
function withoutInputShape(config: JsonObject): JsonObject {
  const kept = Object.entries(config).filter(([key]) => key !== 'batch_input_shape' && key !== 'batchInputShape');
  return Object.fromEntries(kept);
}

export function configOf(layer: JsonObject): JsonObject {
  return isJsonObject(layer.config) ? layer.config : {};
}

/** The layers of a container. In the oldest Sequentials the configuration itself is the list. */
export function containerLayers(container: JsonObject): JsonObject[] {
  const { config } = container;
  const layers = isJsonList(config) ? config : isJsonObject(config) && isJsonList(config.layers) ? config.layers : [];
  return layers.filter(isJsonObject);
}

export function layerName(layer: JsonObject): string {
  const name = layer.name ?? (isJsonObject(layer.config) ? layer.config.name : undefined);
  if (typeof name !== 'string') throw notAModel(`a layer of class '${textOf(layer.class_name)}' without a name`);
  return name;
}
