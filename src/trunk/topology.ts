// Reads the topology of a tfjs `model.json` or of a Keras file (Keras 2 or 3) into a LayerGraph, with nested models
// flattened.
import { TransferKitError } from '../core/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { augmentationNote, isAugmentation } from './augmentation.ts';
import { originOf, plainLayer, type Origin } from './keras3.ts';
import { inputLayer, type LayerCall, type LayerGraph, type LayerSpec, type TensorRef } from './layerGraph.ts';
import { firstNodes, inboundNodes, references, type Argument, type NodeCall, type NodeReference } from './nodes.ts';
import { operationSteps } from './operations.ts';

/** Calls and layers while they are collected. */
interface Draft {
  readonly layers: Map<string, LayerSpec>;
  readonly calls: LayerCall[];
  readonly notes: string[];
  readonly origin: Origin;
}

/** What a call gives: its outputs by number. */
type Outputs = (output: number) => TensorRef | undefined;

const containers = new Set(['Model', 'Functional', 'Sequential']);

/**
 * Reads the topology of a LayersModel.
 *
 * @param topology - `modelTopology` of a `model.json`, or what `LayersModel.toJSON(null, false)` gives.
 * @returns The graph; its `notes` say what was left out because it does nothing outside training.
 * @throws TransferKitError `NOT_A_MODEL` when it is none, `UNSUPPORTED_SOURCE` when it has more than one input.
 */
export function parseTopology(topology: unknown): LayerGraph {
  const described = isJsonObject(topology) && isJsonObject(topology.model_config) ? topology.model_config : topology;
  if (!isJsonObject(described) || !containers.has(String(described.class_name))) throw notAModel(describe(topology));
  const origin = isJsonObject(topology) ? originOf(topology) : 'keras2';
  const draft: Draft = { layers: new Map(), calls: [], notes: [], origin };
  const config = configOf(described);
  const name = typeof config.name === 'string' ? config.name : 'model';
  const found = inlineContainer(draft, described, undefined, []);
  const outputs = Array.from({ length: outputCount(described) }, (_, output) => found(output) ?? { call: 0, output });
  const { layers, calls, notes } = draft;
  return sortCalls({ name, layers, calls, outputs, ...(notes.length > 0 ? { notes } : {}) });
}

/** Adds a container's layers to the draft, fed by `input` (or by its own InputLayer), and returns its outputs. */
function inlineContainer(
  draft: Draft,
  container: JsonObject,
  input: TensorRef | undefined,
  path: readonly string[],
): Outputs {
  return container.class_name === 'Sequential'
    ? inlineSequential(draft, container, input, path)
    : inlineFunctional(draft, container, input, path);
}

function inlineSequential(
  draft: Draft,
  container: JsonObject,
  input: TensorRef | undefined,
  path: readonly string[],
): Outputs {
  let current = input;
  for (const layer of containerLayers(container)) {
    const name = layerName(layer);
    if (layer.class_name === 'InputLayer') {
      current ??= addInput(draft, layer, path)(0);
      continue;
    }
    if (!containers.has(String(layer.class_name))) current ??= addOwnInput(draft, container, layer)(0);
    const inputs = current === undefined ? [] : [{ tensor: current }];
    current = addCall(draft, layer, { inputs, kwargs: {} }, [...path, name])(0);
  }
  if (current === undefined) throw notAModel('a Sequential without layers');
  const output = current;
  return (number) => (number === 0 ? output : undefined);
}

/** An InputLayer for a layer that carries its input shape itself, as the first of a Sequential does. */
function addOwnInput(draft: Draft, container: JsonObject, layer: JsonObject): Outputs {
  const config = configOf(plainLayer(layer, draft.origin));
  const shape = config.batch_input_shape ?? configOf(container).build_input_shape;
  if (!isJsonList(shape)) throw notAModel(`a Sequential whose first layer '${layerName(layer)}' has no input shape`);
  const dtype = typeof config.dtype === 'string' ? config.dtype : 'float32';
  const spec = inputLayer(`${layerName(layer)}_input`, shape.slice(1).map(axisOf), dtype);
  return pushCall(draft, spec, [], {});
}

function inlineFunctional(
  draft: Draft,
  container: JsonObject,
  input: TensorRef | undefined,
  path: readonly string[],
): Outputs {
  const config = configOf(container);
  const inputs = references(config.input_layers);
  if (inputs.length !== 1) {
    const found = `${String(inputs.length)} inputs (${inputs.map(({ layer }) => layer).join(', ')})`;
    throw new TransferKitError('UNSUPPORTED_SOURCE', `loadBase: expected a model with one input, got ${found}.`, {
      inputs,
    });
  }
  const open = containerLayers(container).map((layer) => ({
    layer,
    name: layerName(layer),
    calls: inboundNodes(layer),
  }));
  const outputRefs = references(config.output_layers);
  const nodes: Nodes = { made: new Map(), first: firstNodes(open, outputRefs) };
  while (open.some((entry) => addReadyCalls(draft, entry, nodes, input, path)));
  const outputs = outputRefs.map((ref) => {
    const tensor = tensorOf(nodes, ref);
    if (tensor === undefined) throw notAModel(`an output '${ref.layer}' that no layer computes`);
    return tensor;
  });
  return (output) => outputs[output];
}

/** Calls that are made, by layer, and the number that each layer's first call goes by. */
interface Nodes {
  readonly made: Map<string, Outputs[]>;
  readonly first: ReadonlyMap<string, number>;
}

function tensorOf({ made, first }: Nodes, { layer, node, tensor }: NodeReference): TensorRef | undefined {
  return made.get(layer)?.[node - (first.get(layer) ?? 0)]?.(tensor);
}

/** Adds the calls of a layer whose inputs are there already; says whether there was one. */
function addReadyCalls(
  draft: Draft,
  entry: { readonly layer: JsonObject; readonly name: string; readonly calls: readonly NodeCall[] },
  nodes: Nodes,
  input: TensorRef | undefined,
  path: readonly string[],
): boolean {
  const done = nodes.made.get(entry.name) ?? [];
  nodes.made.set(entry.name, done);
  const before = done.length;
  if (entry.calls.length === 0 && before === 0) {
    done.push(
      input === undefined ? addInput(draft, entry.layer, path) : (output) => (output === 0 ? input : undefined),
    );
  }
  for (const call of entry.calls.slice(before)) {
    const inputs = call.inputs.flatMap((argument): Argument<TensorRef>[] => {
      if ('constant' in argument) return [argument];
      const found = tensorOf(nodes, argument.tensor);
      return found === undefined ? [] : [{ tensor: found }];
    });
    if (inputs.length < call.inputs.length) break;
    done.push(addCall(draft, entry.layer, { inputs, kwargs: call.kwargs }, [...path, entry.name]));
  }
  return done.length > before;
}

function addInput(draft: Draft, layer: JsonObject, path: readonly string[]): Outputs {
  return pushCall(draft, layerSpec(draft, layer, [...path, layerName(layer)]), [], {});
}

/** A call whose tensors are found. */
interface FoundCall {
  readonly inputs: readonly Argument<TensorRef>[];
  readonly kwargs: JsonObject;
}

/**
 * Adds one call of a layer, of everything inside when the layer is a model itself, or of the layers that an operation
 * comes to. Augmentation is left out.
 */
function addCall(draft: Draft, layer: JsonObject, { inputs, kwargs }: FoundCall, path: readonly string[]): Outputs {
  const tensors = inputs.flatMap((argument) => ('tensor' in argument ? [argument.tensor] : []));
  const className = String(layer.class_name);
  if (containers.has(className)) return inlineContainer(draft, layer, tensors[0], path);
  if (isAugmentation(layer)) {
    draft.notes.push(augmentationNote(layerName(layer), className));
    return (output) => tensors[output];
  }
  const steps = operationSteps(className, configOf(layer), inputs, kwargs);
  if (steps === undefined) return pushCall(draft, layerSpec(draft, layer, path), tensors, kwargs);
  let last: TensorRef | undefined;
  steps.forEach(({ className: class_name, config, inputs: read }, index) => {
    const name = index === steps.length - 1 ? layerName(layer) : `${layerName(layer)}_${String(index)}`;
    const step = { name, class_name, config: { name, trainable: true, dtype: 'float32', ...config } };
    const spec = layerSpec(draft, step, [...path.slice(0, -1), name]);
    const from = read.flatMap((input) => (input === 'last' ? (last ?? []) : input));
    last = pushCall(draft, spec, from, {})(0);
  });
  const output = last;
  return (number) => (number === 0 ? output : undefined);
}

function pushCall(draft: Draft, spec: LayerSpec, inputs: readonly TensorRef[], kwargs: JsonObject): Outputs {
  draft.layers.set(spec.name, spec);
  const call = draft.calls.push({ layer: spec.name, inputs, kwargs }) - 1;
  return (output) => ({ call, output });
}

/** The spec of a layer, under a name that no other layer of the flattened graph has. */
function layerSpec(draft: Draft, layer: JsonObject, path: readonly string[]): LayerSpec {
  const own = layerName(layer);
  const known = draft.layers.get(own);
  const taken = known !== undefined && known.path.join('/') !== path.join('/');
  const plain = plainLayer(layer, draft.origin);
  const className = String(plain.class_name);
  const config = configOf(plain);
  return {
    name: taken ? path.join('/') : own,
    className,
    config: className === 'InputLayer' ? config : withoutInputShape(config),
    path,
  };
}

/**
 * Only an InputLayer needs the shape of the input: where the first layer of a Sequential keeps it, tfjs complains as soon
 * as the input gets another size.
 */
function withoutInputShape(config: JsonObject): JsonObject {
  const kept = Object.entries(config).filter(([key]) => key !== 'batch_input_shape' && key !== 'batchInputShape');
  return Object.fromEntries(kept);
}

/** The calls in an order in which every call comes after those it reads from; the InputLayer first. */
function sortCalls(graph: LayerGraph): LayerGraph {
  const first = graph.calls.findIndex((call) => call.inputs.length === 0);
  if (first <= 0) return graph;
  const swap = (index: number) => (index === first ? 0 : index < first ? index + 1 : index);
  const move = (ref: TensorRef): TensorRef => ({ ...ref, call: swap(ref.call) });
  const input = graph.calls[first];
  const rest = graph.calls.filter((_, index) => index !== first);
  return {
    ...graph,
    calls: [...(input === undefined ? [] : [input]), ...rest].map((call) => ({
      ...call,
      inputs: call.inputs.map(move),
    })),
    outputs: graph.outputs.map(move),
  };
}

/** How many outputs a container has. */
function outputCount(container: JsonObject): number {
  return container.class_name === 'Sequential' ? 1 : references(configOf(container).output_layers).length;
}

function configOf(layer: JsonObject): JsonObject {
  return isJsonObject(layer.config) ? layer.config : {};
}

/** The layers of a container; the oldest Sequentials have the list itself as their configuration. */
function containerLayers(container: JsonObject): JsonObject[] {
  const { config } = container;
  const layers = isJsonList(config) ? config : isJsonObject(config) && isJsonList(config.layers) ? config.layers : [];
  return layers.filter(isJsonObject);
}

function layerName(layer: JsonObject): string {
  const name = layer.name ?? (isJsonObject(layer.config) ? layer.config.name : undefined);
  if (typeof name !== 'string') throw notAModel(`a layer of class '${String(layer.class_name)}' without a name`);
  return name;
}

function axisOf(axis: Json): number | null {
  return typeof axis === 'number' ? axis : null;
}

function notAModel(found: string): TransferKitError {
  const text = `loadBase: expected the topology of a tfjs LayersModel (model.json with modelTopology), got ${found}.`;
  return new TransferKitError('NOT_A_MODEL', text, { found });
}

function describe(value: unknown): string {
  if (value === undefined) return 'no modelTopology';
  if (value === null || Array.isArray(value)) return value === null ? 'null' : 'a list';
  if (!isJsonObject(value)) return `a ${typeof value}`;
  return `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'no fields'}`;
}
