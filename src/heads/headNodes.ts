// Writes a head's layers as nodes of a GraphModel, for saving behind a base that is one.
import { TransferKitError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { sizeOf } from '../core/shapes.ts';
import { layerOf, type LayerGraph, type LayerSpec } from '../trunk/layerGraph.ts';
import type { LayersTrunk } from '../trunk/layersTrunk.ts';
import type { NodeSpec } from '../trunk/nodeGraph.ts';

/** Integers that a node reads: axes, shapes. */
export interface IntegerConstant {
  readonly name: string;
  readonly values: readonly number[];
}

/** A head as nodes. */
export interface HeadNodes {
  readonly nodes: readonly NodeSpec[];
  /** Constants that the nodes need besides the head's weights. */
  readonly integers: readonly IntegerConstant[];
  /** Node that gives the logits. */
  readonly output: string;
}

/** What a layer is written as: nodes behind those it reads. */
interface Draft {
  readonly nodes: NodeSpec[];
  readonly integers: IntegerConstant[];
}

type Write = (draft: Draft, layer: LayerSpec, inputs: readonly string[], head: LayersTrunk) => string;

const float: JsonObject = { type: 'DT_FLOAT' };
const integer: JsonObject = { type: 'DT_INT32' };

const activationOps: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  selu: 'Selu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softplus: 'Softplus',
};

const writers: Readonly<Record<string, Write>> = {
  Dense: writeDense,
  Dropout: (_draft, _layer, inputs) => only(inputs),
  Activation: (draft, layer, inputs) => activate(draft, layer, only(inputs)),
  ReLU: (draft, layer, inputs) => add(draft, `${layer.name}/Relu`, 'Relu', inputs, { T: float }),
  GlobalAveragePooling1D: (draft, layer, inputs) => pool(draft, layer, inputs, 'Mean', [1]),
  GlobalAveragePooling2D: (draft, layer, inputs) => pool(draft, layer, inputs, 'Mean', [1, 2]),
  GlobalMaxPooling1D: (draft, layer, inputs) => pool(draft, layer, inputs, 'Max', [1]),
  GlobalMaxPooling2D: (draft, layer, inputs) => pool(draft, layer, inputs, 'Max', [1, 2]),
  Concatenate: (draft, layer, inputs) => {
    const axis = constant(draft, `${layer.name}/axis`, [-1]);
    const attr = { T: float, Tidx: integer, N: { i: String(inputs.length) } };
    return add(draft, `${layer.name}/concat`, 'ConcatV2', [...inputs, axis], attr);
  },
  Flatten: (draft, layer, inputs, head) => {
    const shape = constant(draft, `${layer.name}/shape`, [-1, sizeOf(head.input.shape)]);
    return add(draft, `${layer.name}/Reshape`, 'Reshape', [only(inputs), shape], { T: float, Tshape: integer });
  },
};

/**
 * Writes a head as nodes: pooling, dense layers with activations; dropout does nothing in inference.
 *
 * @param features - Node whose output the head reads.
 * @throws TransferKitError `UNSUPPORTED_LAYER` for layers of a user's own head that have no such form here.
 */
export function headNodes(head: LayersTrunk, features: string): HeadNodes {
  const { graph } = head;
  const draft: Draft = { nodes: [], integers: [] };
  const names: string[] = [];
  graph.calls.forEach((call, index) => {
    const layer = layerOf(graph, index);
    const inputs = call.inputs.map((ref) => names[ref.call] ?? features);
    const write = isWritable(graph, index) ? writers[layer.className] : undefined;
    if (write === undefined && index > 0) throw unsupported(layer);
    names.push(write?.(draft, layer, inputs, head) ?? features);
  });
  return { ...draft, output: names[graph.outputs[0]?.call ?? 0] ?? features };
}

/** A layer that is called once, with the channels last; a Flatten of the features. */
function isWritable(graph: LayerGraph, index: number): boolean {
  const { name, className, config } = layerOf(graph, index);
  if (graph.calls.filter((call) => call.layer === name).length > 1) return false;
  if (config.data_format === 'channels_first' || config.data_format === 'channelsFirst') return false;
  if (className === 'Flatten') return graph.calls[index]?.inputs[0]?.call === 0;
  if (className === 'ReLU') return config.max_value === null || config.max_value === undefined;
  return className !== 'Concatenate' || config.axis === -1 || config.axis === undefined;
}

function writeDense(draft: Draft, layer: LayerSpec, inputs: readonly string[]): string {
  const attr = { T: float, transpose_a: { b: false }, transpose_b: { b: false } };
  const product = add(draft, `${layer.name}/MatMul`, 'MatMul', [only(inputs), `${layer.name}/kernel`], attr);
  const sum =
    layer.config.use_bias === false
      ? product
      : add(draft, `${layer.name}/BiasAdd`, 'BiasAdd', [product, `${layer.name}/bias`], { T: float });
  return activate(draft, layer, sum);
}

function activate(draft: Draft, layer: LayerSpec, input: string): string {
  const activation: Json = layer.config.activation ?? 'linear';
  if (activation === 'linear') return input;
  const op = typeof activation === 'string' ? activationOps[activation] : undefined;
  if (op === undefined) throw unsupported(layer);
  return add(draft, `${layer.name}/${op}`, op, [input], { T: float });
}

function pool(draft: Draft, layer: LayerSpec, inputs: readonly string[], op: string, axes: readonly number[]): string {
  const axis = constant(draft, `${layer.name}/axes`, axes);
  const attr = { T: float, Tidx: integer, keep_dims: { b: false } };
  return add(draft, `${layer.name}/${op}`, op, [only(inputs), axis], attr);
}

function add(draft: Draft, name: string, op: string, inputs: readonly string[], attr: JsonObject): string {
  draft.nodes.push({ name, op, inputs, attr });
  return name;
}

function constant(draft: Draft, name: string, values: readonly number[]): string {
  draft.integers.push({ name, values });
  return name;
}

function only(inputs: readonly string[]): string {
  const [first] = inputs;
  if (first === undefined) throw new RangeError('a layer without input');
  return first;
}

function unsupported({ name, className }: LayerSpec): TransferKitError {
  const text =
    `save: expected a head of pooling, Flatten, Dense and Dropout layers behind a GraphModel, got '${name}' (${className}). ` +
    'Build such a head, or use a LayersModel as base: then every layer can be saved.';
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layer: name, className });
}
