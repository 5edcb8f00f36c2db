// Reads the calls of a layer: the inbound nodes of a topology, in the formats of Keras 2 and Keras 3.
import {
  classNameOf,
  isJsonList,
  isJsonObject,
  numericOf,
  textOf,
  type Json,
  type JsonObject,
} from '../../core/json.ts';

/** One output of one call of a layer, with the names of the topology. */
export interface NodeReference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** An argument of a call: a tensor, or a constant argument of an operation. */
export type Argument<Tensor> = { readonly tensor: Tensor } | { readonly constant: Json };

/** One call of a layer. */
export interface NodeCall {
  readonly inputs: readonly Argument<NodeReference>[];
  readonly kwargs: JsonObject;
}

/** The calls of a layer. Empty for an InputLayer. */
export function inboundNodes(layer: JsonObject): NodeCall[] {
  const nodes = isJsonList(layer.inbound_nodes) ? layer.inbound_nodes : [];
  const parameters = masked[classNameOf(layer.class_name)] ?? [];
  return nodes.map((node) => (isJsonObject(node) ? readKeras3Node(node, parameters) : readKeras2Node(node)));
}

const recurrent = ['sequence', 'initial_state', 'mask'];
const attention = ['inputs', 'mask'];

/** Parameters of calls in Keras, for layers that take masks by position. */
const masked: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['Bidirectional', 'ConvLSTM2D', 'GRU', 'LSTM', 'RNN', 'SimpleRNN'].map((className) => [className, recurrent]),
  ),
  AdditiveAttention: attention,
  Attention: attention,
  BatchNormalization: ['inputs', 'training', 'mask'],
  GlobalAveragePooling1D: ['inputs', 'mask'],
  MultiHeadAttention: ['query', 'value', 'key', 'query_mask', 'value_mask', 'key_mask', 'attention_mask'],
  Softmax: ['inputs', 'mask'],
  TimeDistributed: ['inputs', 'training', 'mask'],
};

/**
 * The index of each layer's first call. It is 0, except for nested models: the call that created such a model may count
 * as its first one, although it is not part of this network.
 *
 * @param outputs - References from outside the layers.
 */
export function firstNodes(
  layers: readonly { readonly name: string; readonly calls: readonly NodeCall[] }[],
  outputs: readonly NodeReference[],
): ReadonlyMap<string, number> {
  const inputs = layers.flatMap(({ calls }) => calls.flatMap((call) => call.inputs));
  const all = [...inputs.flatMap((argument) => ('tensor' in argument ? argument.tensor : [])), ...outputs];
  const last = new Map<string, number>();
  for (const { layer, node } of all) last.set(layer, Math.max(node, last.get(layer) ?? 0));
  return new Map(
    layers.map(({ name, calls }) => [name, Math.max(0, (last.get(name) ?? 0) - Math.max(0, calls.length - 1))]),
  );
}

/** `[["conv", 0, 0], …]`, a bare `["conv", 0, 0]` for a single tensor, or an object of either form. */
export function references(value: Json | undefined): NodeReference[] {
  if (isJsonObject(value)) return Object.values(value).flatMap((each) => references(each));
  if (!isJsonList(value)) return [];
  if (typeof value[0] === 'string') return [toReference(value)];
  return value.flatMap((each) => references(each));
}

function toReference([layer, node, tensor]: readonly Json[]): NodeReference {
  return { layer: textOf(layer), node: numericOf(node ?? 0), tensor: numericOf(tensor ?? 0) };
}

/** `[["conv", 0, 0, {}], …]`, or `["conv", 0, 0, { "y": 3 }]` for operations. */
function readKeras2Node(node: Json): NodeCall {
  const list = isJsonList(node) ? node : [];
  const entries = typeof list[0] === 'string' ? [list] : list.filter(isJsonList);
  const kwargs = entries[0]?.[3];
  const named = isJsonObject(kwargs) ? kwargs : {};
  const further = inOrder(Object.entries(named).flatMap(([key, value]) => operand(key, value)));
  return { inputs: [...entries.map(positional), ...further.map(([, argument]) => argument)], kwargs: without(named) };

  function without(all: JsonObject): JsonObject {
    const taken = new Set(further.map(([key]) => key));
    return Object.fromEntries(Object.entries(all).filter(([key, value]) => !taken.has(key) && value !== null));
  }
}

/** A constant as first argument is written in the place of the layer name. */
function positional(entry: readonly Json[]): Argument<NodeReference> {
  return entry[0] === '_CONSTANT_VALUE' ? { constant: entry[2] ?? null } : { tensor: toReference(entry) };
}

/** Keyword arguments of TensorFlow operations that are tensors. */
const operands = new Set(['x', 'y', 'bias', 'b']);

function operand(key: string, value: Json): [string, Argument<NodeReference>][] {
  if (key.includes('mask')) return [];
  if (isJsonList(value) && typeof value[0] === 'string' && typeof value[1] === 'number') {
    return [[key, { tensor: toReference(value) }]];
  }
  return operands.has(key) && value !== null ? [[key, { constant: value }]] : [];
}

/** `{ "args": […], "kwargs": {…} }`, where each tensor is an object with its history. */
function readKeras3Node({ args, kwargs }: JsonObject, parameters: readonly string[]): NodeCall {
  const places = (isJsonList(args) ? args : []).map((value, i): [string, Json] => [parameters[i] ?? '', value]);
  const isMask = ([key]: [string, Json]) => key.includes('mask');
  const named = [...places.filter(isMask), ...Object.entries(isJsonObject(kwargs) ? kwargs : {})];
  const inputs = places.filter((each) => !isMask(each)).flatMap(([, value]) => flatten(value));
  const hasTensors = (value: Json) => flatten(value).some((each) => 'tensor' in each);
  const isInput = (each: [string, Json]) => hasTensors(each[1]) && !isMask(each);
  const tensors = inOrder(named.filter(isInput)).flatMap(([, value]) => flatten(value));
  // `training` is left to the caller. For a mask only its name is kept, because no layer here accepts one.
  const kept = named
    .filter(([key, value]) => value !== null && key !== 'training' && !isInput([key, value]))
    .map(([key, value]) => [key, hasTensors(value) ? true : value] as const);
  return { inputs: [...inputs, ...tensors], kwargs: Object.fromEntries(kept) };
}

/** Arguments of an attention, sorted in the order that its layer expects. Others keep their order. */
function inOrder<Value>(named: [string, Value][]): [string, Value][] {
  const place = ([key]: [string, Value]) => ['query', 'value', 'key'].indexOf(key);
  return named.some((each) => place(each) < 0) ? named : named.sort((a, b) => place(a) - place(b));
}

function flatten(value: Json): Argument<NodeReference>[] {
  if (isJsonObject(value)) return [fromObject(value)];
  if (!isJsonList(value)) return [{ constant: value }];
  return isConstantList(value) ? [{ constant: value }] : value.flatMap((each) => flatten(each));
}

function isConstantList(value: Json): boolean {
  return isJsonList(value)
    ? value.length > 0 && value.every((each) => isConstantList(each))
    : typeof value === 'number';
}

function fromObject(value: JsonObject): Argument<NodeReference> {
  const config = isJsonObject(value.config) ? value.config : {};
  if (value.class_name === '__keras_tensor__' && isJsonList(config.keras_history)) {
    return { tensor: toReference(config.keras_history) };
  }
  // Arrays and tensors are written as objects with their values.
  return { constant: config.value ?? null };
}
