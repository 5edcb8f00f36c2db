// Reads the classifier at the end of a GraphModel as layers of a head: the nodes after the cut, with their constants.
import { reshape, tidy, transpose, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerGraph, NodeGraph, NodeSpec } from '../core/graphs.ts';
import { TransferKitError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { sigmoid, softmax } from '../model/tasks/activations.ts';
import type { Activation, ActivationEnd } from '../model/tasks/task.ts';
import type { Shape } from '../core/types.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../core/weightSource.ts';
import { appendLayer, inputLayer } from '../networks/graphs/layerGraph.ts';
import { attribute, constantNode, dataNodes, fusedOps, nodeOf, nodesByName } from '../networks/graphs/nodeGraph.ts';

/** The classifier of a GraphModel as a head. */
export interface NodeClassifier {
  /** Layers from the features to the logits. */
  readonly graph: LayerGraph;
  readonly weights: WeightSource;
  /** The softmax or sigmoid at the end. Undefined for a graph that ends without one. */
  readonly end: ActivationEnd | undefined;
}

const skipped = new Set(['Identity', 'StopGradient']);
const flattening = new Set(['Squeeze', 'Reshape']);
const products = new Set(['MatMul', '_FusedMatMul', 'Conv2D', '_FusedConv2D']);
const sums = new Set(['BiasAdd', 'Add', 'AddV2']);
const rectifiers: Readonly<Record<string, string>> = { Relu: 'relu', Relu6: 'relu6', Elu: 'elu' };

/** State of the reader, which collects the parts of the classifier. */
interface Draft {
  graph: LayerGraph;
  readonly entries: Map<string, WeightEntry>;
  /** Whether the values are a feature map [b, h, w, c], not vectors [b, c]. */
  isMap: boolean;
  probabilities: Activation | undefined;
}

/**
 * @param cut - Node whose output is the features.
 * @param features - Shape of the features, with the batch axis.
 * @param constants - Holds the constants after the cut.
 * @param prefix - Prefix of the layer names, which no node name has.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` if anything but a dense layer or a 1 × 1 convolution with pooling,
 * reshaping and a softmax or sigmoid follows the cut.
 */
export function nodeClassifierEnd(
  graph: NodeGraph,
  { cut, features, constants, prefix }: { cut: string; features: Shape; constants: WeightSource; prefix: string },
): NodeClassifier {
  const input = inputLayer(`${prefix}_features`, features.slice(1));
  const draft: Draft = {
    graph: {
      name: graph.name,
      layers: new Map([[input.name, input]]),
      calls: [{ layer: input.name, inputs: [], kwargs: {} }],
      outputs: [{ call: 0, output: 0 }],
    },
    entries: new Map(),
    isMap: features.length === 4,
    probabilities: undefined,
  };
  const nodes = chainBehind(graph, cut);
  if (!nodes.some(({ op }) => products.has(op))) throw unsupported(graph, 'no classifier at its end');
  for (const node of nodes) addNode(draft, graph, node, { constants, prefix });
  if (draft.isMap) addFlatten(draft, prefix);
  const units = draft.entries.get(`${prefix}_logits/kernel`)?.shape.at(-1);
  const { probabilities } = draft;
  const end = probabilities && { activation: probabilities, units };
  return { graph: draft.graph, weights: sourceOf(draft.entries), end };
}

/** The chain of nodes after the cut, up to the output. Every node reads the one before it. */
function chainBehind(graph: NodeGraph, cut: string): NodeSpec[] {
  const byName = nodesByName(graph.nodes);
  const data = new Set(dataNodes(graph));
  const chain: NodeSpec[] = [];
  const [output] = graph.outputs;
  for (let name = output; name !== undefined && name !== cut && chain.length < graph.nodes.length;) {
    const node = byName.get(name);
    const read = (node?.inputs ?? []).map(nodeOf).filter((each) => data.has(each));
    if (node === undefined || read.length !== 1)
      throw unsupported(graph, `'${name}', which joins several values, at its end`);
    chain.unshift(node);
    name = read[0];
  }
  return chain;
}

interface Facts {
  readonly constants: WeightSource;
  readonly prefix: string;
}

function addNode(draft: Draft, graph: NodeGraph, node: NodeSpec, facts: Facts): void {
  const { op } = node;
  const isDone = draft.probabilities !== undefined;
  if (skipped.has(op)) return;
  if (flattening.has(op)) addFlatten(draft, facts.prefix);
  else if (isDone) throw unsupported(graph, `${op} after its probabilities`);
  else if (op === softmax.op) draft.probabilities = softmax;
  else if (op === sigmoid.op) draft.probabilities = sigmoid;
  else if (op === 'Mean') addPooling(draft, facts.prefix);
  else if (rectifiers[op] !== undefined) addActivation(draft, rectifiers[op], facts.prefix);
  else if (products.has(op)) addProduct(draft, graph, node, facts);
  else if (sums.has(op)) addBias(draft, graph, constantOf(graph, node, facts.constants, op), facts);
  else throw unsupported(graph, `${op} ('${node.name}') in its classifier`);
}

function append(draft: Draft, name: string, className: string, config: JsonObject = {}): void {
  draft.graph = appendLayer(draft.graph, {
    name,
    className,
    config: { name, trainable: true, ...config },
    path: [name],
  });
}

function addFlatten(draft: Draft, prefix: string): void {
  if (!draft.isMap) return;
  append(draft, `${prefix}_flatten`, 'Flatten');
  draft.isMap = false;
}

function addPooling(draft: Draft, prefix: string): void {
  if (!draft.isMap) return;
  append(draft, `${prefix}_pooling`, 'GlobalAveragePooling2D');
  draft.isMap = false;
}

function addActivation(draft: Draft, activation: string, prefix: string): void {
  append(draft, `${prefix}_${activation}`, 'Activation', { activation });
}

/** A dense layer for vectors, a 1 × 1 convolution for maps. Their kernels differ only in shape. */
function addProduct(draft: Draft, graph: NodeGraph, node: NodeSpec, { constants, prefix }: Facts): void {
  const name = `${prefix}_logits`;
  if (draft.entries.has(`${name}/kernel`))
    throw unsupported(graph, `several products in its classifier ('${node.name}')`);
  const kernel = kernelOf(graph, node, constants);
  const shape = draft.isMap ? [1, 1, ...kernel.shape] : kernel.shape;
  draft.entries.set(`${name}/kernel`, { shape, read: () => tidy(() => reshape(kernel.read(), [...shape])) });
  const units = kernel.shape[1] ?? 0;
  const common = { activation: 'linear', use_bias: false };
  if (draft.isMap) append(draft, name, 'Conv2D', { ...common, filters: units, kernel_size: [1, 1], padding: 'valid' });
  else append(draft, name, 'Dense', { ...common, units });
  addFused(draft, graph, node, { constants, prefix });
}

/** Reads what a fused node does after its product: add a bias, then apply an activation. */
function addFused(draft: Draft, graph: NodeGraph, node: NodeSpec, facts: Facts): void {
  for (const op of fusedOps(node)) {
    if (op === 'BiasAdd') addBias(draft, graph, entryOf(graph, node.inputs[2], facts.constants, node), facts);
    else if (rectifiers[op] !== undefined) addActivation(draft, rectifiers[op], facts.prefix);
    else throw unsupported(graph, `${op} fused into '${node.name}'`);
  }
}

/** Adds a bias to the last product. */
function addBias(draft: Draft, graph: NodeGraph, bias: WeightEntry, { prefix }: Facts): void {
  const name = `${prefix}_logits`;
  const layer = draft.graph.layers.get(name);
  const units = draft.entries.get(`${name}/kernel`)?.shape.at(-1);
  if (layer === undefined || draft.entries.has(`${name}/bias`) || bias.shape.length !== 1 || bias.shape[0] !== units) {
    throw unsupported(graph, 'a sum that is no bias in its classifier');
  }
  draft.entries.set(`${name}/bias`, bias);
  const layers = new Map(draft.graph.layers).set(name, { ...layer, config: { ...layer.config, use_bias: true } });
  draft.graph = { ...draft.graph, layers };
}

/** The kernel of a product as a matrix [channels, units]. */
function kernelOf(graph: NodeGraph, node: NodeSpec, constants: WeightSource): WeightEntry {
  const entry = entryOf(graph, node.inputs[1], constants, node);
  if (node.op.includes('MatMul')) {
    if (entry.shape.length !== 2 || attribute(node, 'transpose_a').b === true)
      throw unsupported(graph, `'${node.name}' as classifier`);
    if (attribute(node, 'transpose_b').b !== true) return entry;
    return { shape: [...entry.shape].reverse(), read: () => transposed(entry) };
  }
  const [height, width, channels = 0, units = 0] = entry.shape;
  const strides = attribute(node, 'strides').list;
  const isDense = height === 1 && width === 1 && !/[2-9]/.test(JSON.stringify(strides ?? []));
  if (!isDense) throw unsupported(graph, `a convolution larger than 1 × 1 ('${node.name}') as classifier`);
  const shape: readonly [number, number] = [channels, units];
  return { shape, read: () => tidy(() => reshape(entry.read(), [channels, units])) };
}

function transposed(entry: WeightEntry): Tensor {
  const read = entry.read();
  try {
    return transpose(read);
  } finally {
    read.dispose();
  }
}

/** The constant operand of a sum. */
function constantOf(graph: NodeGraph, node: NodeSpec, constants: WeightSource, what: string): WeightEntry {
  const byName = nodesByName(graph.nodes);
  const found = node.inputs.find((reference) => constantNode(byName, reference) !== undefined);
  return entryOf(graph, found, constants, { ...node, op: what });
}

function entryOf(
  graph: NodeGraph,
  reference: string | undefined,
  constants: WeightSource,
  reader: NodeSpec,
): WeightEntry {
  const name = constantNode(nodesByName(graph.nodes), reference)?.name;
  const shape = name === undefined ? undefined : constants.shapeOf(name);
  if (name === undefined || shape === undefined)
    throw unsupported(graph, `${reader.op} ('${reader.name}') without a constant`);
  return { shape, read: () => constants.read(name) };
}

function unsupported({ name }: NodeGraph, found: string): TransferKitError {
  const text =
    `expected a GraphModel that ends in a dense layer or a 1 × 1 convolution with a softmax or sigmoid, got '${name}' with ` +
    `${found}. Use loadBase and replaceHead to give it a new head.`;
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { name, found });
}
