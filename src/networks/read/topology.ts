// Reads the topology of a tfjs `model.json` or of a Keras file (Keras 2 or 3) into a LayerGraph, with nested models
// flattened.
import type { LayerGraph, TensorRef } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { classNameOf, isJsonList, isJsonObject, textOf, type JsonObject } from '../../core/json.ts';
import { assertShallow } from '../../core/nesting.ts';
import { augmentationNote, isAugmentation } from './augmentation.ts';
import { originOf, plainLayer } from './keras3.ts';
import {
  configOf,
  containerLayers,
  countWork,
  layerName,
  layerSpec,
  pushCall,
  tooManyLayers,
  type Draft,
  type Outputs,
} from './layerDraft.ts';
import { inputLayer } from '../graphs/layerGraph.ts';
import { freeInputShape } from './freeInput.ts';
import { mostCalls } from '../graphs/limits.ts';
import { notAModel } from './notAModel.ts';
import {
  firstNodes,
  inboundNodes,
  references,
  type Argument,
  type NodeCall,
  type NodeReference,
} from './inboundNodes.ts';
import { isNamesake, isOperation, namesakeSteps } from './namesakes.ts';
import { operationSteps } from './operationLayers.ts';

const containers = new Set(['Model', 'Functional', 'Sequential']);

/**
 * Reads the topology of a LayersModel.
 *
 * @param topology - `modelTopology` of a `model.json`, or the result of `LayersModel.toJSON(null, false)`.
 * @returns The graph. Its `notes` list layers that were left out because they do nothing outside training.
 * @throws TransferKitError `NOT_A_MODEL` if it is no topology, `UNSUPPORTED_SOURCE` for more than one input,
 * `OUT_OF_RANGE` for too many layers or too large an input.
 */
export function parseTopology(topology: unknown): LayerGraph {
  assertShallow('the topology of a model', topology);
  const described = isJsonObject(topology) && isJsonObject(topology.model_config) ? topology.model_config : topology;
  if (!isJsonObject(described) || !containers.has(classNameOf(described.class_name)))
    throw notAModel(describe(topology));
  const origin = isJsonObject(topology) ? originOf(topology) : 'keras2';
  const draft: Draft = { layers: new Map(), calls: [], notes: [], origin, work: 0 };
  const config = configOf(described);
  const name = typeof config.name === 'string' ? config.name : 'model';
  const found = inlineContainer(draft, described, undefined, []);
  const outputs = Array.from({ length: outputCount(described) }, (_, output) => found(output) ?? { call: 0, output });
  const { layers, calls, notes } = draft;
  return sortCalls({ name, layers, calls, outputs, ...(notes.length > 0 ? { notes } : {}) });
}

/** Adds a container's layers to the draft, with `input` (or its own InputLayer) as input, and returns its outputs. */
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
  const before = new Map<string, JsonObject>();
  for (const layer of containerLayers(container)) {
    const name = layerName(layer);
    const other = before.get(name);
    // A layer that occurs twice shares its weights.
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(layer))
      throw notAModel(`two layers named '${name}'`);
    before.set(name, layer);
    if (layer.class_name === 'InputLayer') {
      current ??= addInput(draft, layer, path)(0);
      continue;
    }
    if (!containers.has(classNameOf(layer.class_name))) current ??= addOwnInput(draft, container, layer)(0);
    const inputs = current === undefined ? [] : [{ tensor: current }];
    current = addCall(draft, layer, { inputs, kwargs: {} }, [...path, name])(0);
  }
  if (current === undefined) throw notAModel('a Sequential without layers');
  const output = current;
  return (number) => (number === 0 ? output : undefined);
}

/** An InputLayer for a layer with its own input shape, such as the first one of a Sequential. */
function addOwnInput(draft: Draft, container: JsonObject, layer: JsonObject): Outputs {
  const config = configOf(plainLayer(layer, draft.origin));
  const shape = config.batch_input_shape ?? configOf(container).build_input_shape;
  if (!isJsonList(shape)) throw notAModel(`a Sequential whose first layer '${layerName(layer)}' has no input shape`);
  const name = `${layerName(layer)}_input`;
  const [, ...axes] = freeInputShape(shape, name, draft.notes);
  return pushCall(draft, inputLayer(name, axes, typeof config.dtype === 'string' ? config.dtype : 'float32'), [], {});
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
    throw new TransferKitError('UNSUPPORTED_SOURCE', `expected a model with one input, got ${found}.`, {
      inputs,
    });
  }
  const entries = containerLayers(container).map((layer) => ({
    layer,
    name: layerName(layer),
    calls: inboundNodes(layer),
  }));
  assertDistinct(entries);
  const outputRefs = references(config.output_layers);
  if (outputRefs.length === 0) throw notAModel('a model without outputs');
  const nodes: Nodes = { made: new Map(), first: firstNodes(entries, outputRefs) };
  addAllCalls(draft, entries, nodes, { name: inputs[0]?.layer ?? '', input, path });
  const outputs = outputRefs.map((ref) => {
    const tensor = tensorOf(nodes, ref);
    if (tensor === undefined) throw notAModel(`an output '${ref.layer}' that no layer computes`);
    return tensor;
  });
  return (output) => outputs[output];
}

/** Calls that were added, by layer, and the index of each layer's first call. */
interface Nodes {
  readonly made: Map<string, Outputs[]>;
  readonly first: ReadonlyMap<string, number>;
}

function tensorOf({ made, first }: Nodes, { layer, node, tensor }: NodeReference): TensorRef | undefined {
  return made.get(layer)?.[node - (first.get(layer) ?? 0)]?.(tensor);
}

/** A layer of a container, with its calls. */
interface Entry {
  readonly layer: JsonObject;
  readonly name: string;
  readonly calls: readonly NodeCall[];
}

/** The position of a container in the network. */
interface Place {
  /** Name of its InputLayer. */
  readonly name: string;
  /** Its input from outside. */
  readonly input: TensorRef | undefined;
  readonly path: readonly string[];
}

/** Raises if two layers have the same name: references to it would be ambiguous. */
function assertDistinct(entries: readonly Entry[]): void {
  if (entries.length > mostCalls) throw tooManyLayers();
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name)) throw notAModel(`two layers named '${name}'`);
    names.add(name);
  }
}

/** Adds all calls, each after the calls that it reads. Calls that wait for a missing tensor are left out. */
function addAllCalls(draft: Draft, entries: readonly Entry[], nodes: Nodes, place: Place): void {
  const open = [...entries];
  const addOne = () => {
    const ready = open.findIndex((entry) => addReadyCalls(draft, entry, nodes, place));
    const entry = open[ready];
    if (entry === undefined) return false;
    if ((nodes.made.get(entry.name)?.length ?? 0) >= entry.calls.length) open.splice(ready, 1);
    return true;
  };
  while (addOne());
}

/** Adds the calls of a layer whose inputs are available. Returns whether there was one. */
function addReadyCalls(draft: Draft, entry: Entry, nodes: Nodes, { name, input, path }: Place): boolean {
  const done = nodes.made.get(entry.name) ?? [];
  nodes.made.set(entry.name, done);
  const before = done.length;
  if (entry.name === name && before === 0) {
    done.push(
      input === undefined ? addInput(draft, entry.layer, path) : (output) => (output === 0 ? input : undefined),
    );
    return true;
  }
  for (const call of entry.calls.slice(before)) {
    const inputs = call.inputs.flatMap((argument): Argument<TensorRef>[] => {
      if ('constant' in argument) return [argument];
      const found = tensorOf(nodes, argument.tensor);
      return found === undefined ? [] : [{ tensor: found }];
    });
    if (!call.inputs.some((argument) => 'tensor' in argument)) throw withoutInput(entry.layer);
    if (inputs.length < call.inputs.length) break;
    done.push(addCall(draft, entry.layer, { inputs, kwargs: call.kwargs }, [...path, entry.name]));
  }
  return done.length > before;
}

function withoutInput(layer: JsonObject): TransferKitError {
  return notAModel(`a layer '${layerName(layer)}' (${textOf(layer.class_name)}) that is called without an input`);
}

function addInput(draft: Draft, layer: JsonObject, path: readonly string[]): Outputs {
  if (layer.class_name !== 'InputLayer') throw notAModel(`an input '${layerName(layer)}' that is no InputLayer`);
  const spec = layerSpec(draft, layer, [...path, layerName(layer)]);
  const shape = freeInputShape(spec.config.batch_input_shape, spec.name, draft.notes);
  return pushCall(draft, { ...spec, config: { ...spec.config, batch_input_shape: shape } }, [], {});
}

/** A call whose input tensors were found. */
interface FoundCall {
  readonly inputs: readonly Argument<TensorRef>[];
  readonly kwargs: JsonObject;
}

/**
 * Adds one call of a layer, all calls inside a nested model, or the layers that an operation is rewritten as.
 * Augmentation is left out.
 */
function addCall(draft: Draft, layer: JsonObject, { inputs, kwargs }: FoundCall, path: readonly string[]): Outputs {
  const tensors = inputs.flatMap((argument) => ('tensor' in argument ? [argument.tensor] : []));
  const className = classNameOf(layer.class_name);
  countWork(draft);
  if (containers.has(className)) return inlineContainer(draft, layer, tensors[0], path);
  if (tensors.length === 0) throw withoutInput(layer);
  if (isAugmentation(layer)) {
    draft.notes.push(augmentationNote(layerName(layer), className));
    return (output) => tensors[output];
  }
  const operation = isOperation(layer, draft.origin);
  const config = configOf(layer);
  const steps =
    operationSteps(className, config, inputs, kwargs) ??
    (operation ? namesakeSteps(className, config, inputs) : undefined);
  if (steps === undefined) {
    // Keeps an operation from being taken for the layer of the same name.
    const known = operation && isNamesake(className) ? { ...layer, class_name: `${className}(operation)` } : layer;
    return pushCall(draft, layerSpec(draft, known, path), tensors, kwargs);
  }
  let last: TensorRef | undefined;
  steps.forEach(({ className: class_name, config: settings, inputs: read }, index) => {
    const name = index === steps.length - 1 ? layerName(layer) : `${layerName(layer)}_${String(index)}`;
    const step = { name, class_name, config: { name, trainable: true, dtype: 'float32', ...settings } };
    const spec = layerSpec(draft, step, [...path.slice(0, -1), name]);
    const from = read.flatMap((input) => (input === 'last' ? (last ?? []) : input));
    last = pushCall(draft, spec, from, {})(0);
  });
  const output = last;
  return (number) => (number === 0 ? output : undefined);
}

/** Sorts the calls so that every call comes after those that it reads from, with the InputLayer first. */
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

/** Number of outputs of a container. */
function outputCount(container: JsonObject): number {
  return container.class_name === 'Sequential' ? 1 : references(configOf(container).output_layers).length;
}

function describe(value: unknown): string {
  if (value === undefined) return 'no modelTopology';
  if (value === null || Array.isArray(value)) return value === null ? 'null' : 'a list';
  if (!isJsonObject(value)) return `a ${typeof value}`;
  return `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'no fields'}`;
}
