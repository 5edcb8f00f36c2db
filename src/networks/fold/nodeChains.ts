// Finds nodes of a GraphModel that can be computed together, as fusedGroups.ts does for layers.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Activation } from '../run/layerActivation.ts';
import {
  attribute,
  constantNode,
  dataNodes,
  fusedOps,
  nodeOf,
  nodesByName,
  normEpsilon,
  outputOf,
} from '../graphs/nodeGraph.ts';

/** Consecutive nodes whose intermediate outputs no other node reads. */
export interface NodeChain {
  /** A Pad with zeros before a kernel that has no padding of its own; two numbers for each axis. */
  readonly pad: { readonly node: NodeSpec; readonly amounts: readonly number[] } | undefined;
  readonly kernel: NodeSpec;
  readonly kind: KernelKind;
  readonly filter: Tensor;
  /** Number of output channels of the kernel. */
  readonly channels: number;
  /** The bias of a kernel that is already fused. */
  readonly bias: Tensor | undefined;
  /** Nodes that scale or shift each channel, in order. */
  readonly scales: readonly ScaleNode[];
  readonly activation: Activation | undefined;
  /** All nodes of the chain, in order. The output of the last one is the chain's. */
  readonly nodes: readonly NodeSpec[];
}

/** A node that applies the same operation to all values of a channel. */
export interface ScaleNode {
  readonly op: 'add' | 'subtract' | 'multiply' | 'divide' | 'normalize';
  /** One value for each channel, or a single one. For a normalisation: scale, offset, mean and variance. */
  readonly values: readonly Tensor[];
  readonly epsilon: number;
}

type KernelKind = 'conv' | 'depthwise' | 'product';

const kinds: Readonly<Record<string, KernelKind>> = {
  Conv2D: 'conv',
  _FusedConv2D: 'conv',
  DepthwiseConv2d: 'depthwise',
  DepthwiseConv2dNative: 'depthwise',
  FusedDepthwiseConv2dNative: 'depthwise',
  MatMul: 'product',
  _FusedMatMul: 'product',
};

const scaling: Readonly<Record<string, Exclude<ScaleNode['op'], 'normalize'>>> = {
  Add: 'add',
  AddV2: 'add',
  BiasAdd: 'add',
  BiasAddV1: 'add',
  Div: 'divide',
  Mul: 'multiply',
  RealDiv: 'divide',
  Sub: 'subtract',
};

const activations: Readonly<Record<string, string>> = {
  Elu: 'elu',
  LeakyRelu: 'leaky_relu',
  Relu: 'relu',
  Relu6: 'relu6',
  Sigmoid: 'sigmoid',
};

/** Facts about a graph that the search uses. */
interface Surroundings {
  readonly constant: (reference: string | undefined) => Tensor | undefined;
  /** The only reader of a node's first output, by the name of that node. */
  readonly onlyReader: ReadonlyMap<string, NodeSpec>;
  /** Nodes that have readers of further outputs than the first. */
  readonly readFurther: ReadonlySet<string>;
  readonly byName: ReadonlyMap<string, NodeSpec>;
}

/**
 * Finds the chains of a graph with more than one node.
 *
 * @param constants - Values of the graph's constants.
 */
export function nodeChains(graph: NodeGraph, constants: ReadonlyMap<string, Tensor>): readonly NodeChain[] {
  const byName = nodesByName(graph.nodes);
  const surroundings: Surroundings = {
    constant: (reference) => constants.get(constantNode(byName, reference)?.name ?? ''),
    onlyReader: onlyReaders(graph),
    readFurther: new Set(
      graph.nodes.flatMap(({ inputs }) => inputs.filter((reference) => outputOf(reference) > 0).map(nodeOf)),
    ),
    byName,
  };
  return graph.nodes.flatMap((node) => {
    const kind = kinds[node.op];
    const chain = kind && chainFrom(node, kind, surroundings);
    return chain !== undefined && chain.nodes.length > 1 ? [chain] : [];
  });
}

function chainFrom(kernel: NodeSpec, kind: KernelKind, around: Surroundings): NodeChain | undefined {
  const own = ownSteps(kernel);
  const weights = weightsOf(kernel, kind, own, around);
  if (weights === undefined) return undefined;
  const pad = kind === 'product' ? undefined : padInFrontOf(kernel, around);
  const nodes = [...(pad === undefined ? [] : [pad.node]), kernel];
  const base = { pad, kernel, kind, ...weights };
  if (own.activation !== undefined) return { ...base, scales: [], activation: own.activation, nodes };
  const scales: ScaleNode[] = [];
  let reader = around.onlyReader.get(kernel.name);
  while (reader !== undefined) {
    const scale = scaleOf(reader, nodes.at(-1) ?? kernel, weights.channels, weights.filter.rank, around);
    if (scale === undefined) break;
    if (scale !== 'nothing') scales.push(scale);
    nodes.push(reader);
    reader = around.onlyReader.get(reader.name);
  }
  const activation = reader && activationOf(reader);
  if (reader !== undefined && activation !== undefined) nodes.push(reader);
  return { ...base, scales, activation, nodes };
}

/** Filter, bias and output channels of a kernel. Undefined for a kernel that cannot be changed. */
function weightsOf(kernel: NodeSpec, kind: KernelKind, own: ReturnType<typeof ownSteps>, { constant }: Surroundings) {
  const filter = constant(kernel.inputs[1]);
  const bias = own.hasBias ? constant(kernel.inputs[2]) : undefined;
  const isTransposed = ['transpose_a', 'transpose_b'].some((name) => attribute(kernel, name).b === true);
  const isKnown = !own.others && !isTransposed && isChannelsLast(kernel) && (!own.hasBias || bias !== undefined);
  if (!isKnown || filter === undefined) return undefined;
  const [, , inputs = 0, multiplier = 0] = filter.shape;
  return { filter, bias, channels: kind === 'depthwise' ? inputs * multiplier : (filter.shape.at(-1) ?? 0) };
}

/** The steps of a fused node after its product. `others` are steps that are not known here. */
function ownSteps(kernel: NodeSpec) {
  const [first, second, ...more] = fusedOps(kernel);
  const activation = second === undefined ? undefined : activationNamed(second, attribute(kernel, 'leakyrelu_alpha'));
  const others =
    more.length > 0 || (first ?? 'BiasAdd') !== 'BiasAdd' || (second !== undefined && activation === undefined);
  return { hasBias: first !== undefined, activation, others };
}

/** The operation that a node applies to each channel of its input. Undefined for other nodes. */
function scaleOf(
  node: NodeSpec,
  read: NodeSpec,
  channels: number,
  rank: number,
  { constant, readFurther }: Surroundings,
): ScaleNode | 'nothing' | undefined {
  if (readFurther.has(node.name)) return undefined;
  if (node.op === 'Identity') return 'nothing';
  if (/^FusedBatchNorm(V[23])?$/.test(node.op)) return normalizationOf(node, read, channels, constant);
  const op = scaling[node.op];
  if (op === undefined || !isChannelsLast(node)) return undefined;
  const place = node.inputs.findIndex((reference) => nodeOf(reference) === read.name);
  if (place === 1 && (op === 'subtract' || op === 'divide')) return undefined;
  const value = constant(node.inputs[1 - place]);
  if (value === undefined || value.rank > rank || !isPerChannel(value, channels)) return undefined;
  return { op, values: [value], epsilon: 0 };
}

function normalizationOf(
  node: NodeSpec,
  read: NodeSpec,
  channels: number,
  constant: Surroundings['constant'],
): ScaleNode | undefined {
  const values = node.inputs.slice(1).flatMap((reference) => constant(reference) ?? []);
  const trains = attribute(node, 'is_training').b !== false;
  if (trains || !isChannelsLast(node) || nodeOf(node.inputs[0] ?? '') !== read.name) return undefined;
  if (values.length !== 4 || values.some((value) => value.size !== channels)) return undefined;
  return { op: 'normalize', values, epsilon: normEpsilon(node) };
}

function isPerChannel(value: Tensor, channels: number): boolean {
  return (
    value.dtype === 'float32' && (value.size === 1 || (value.size === channels && value.shape.at(-1) === channels))
  );
}

function activationOf(node: NodeSpec): Activation | undefined {
  return activationNamed(node.op, attribute(node, 'alpha'));
}

function activationNamed(op: string, { f: alpha }: JsonObject): Activation | undefined {
  const name = activations[op];
  if (name === undefined) return undefined;
  return name === 'leaky_relu' ? { name, slope: typeof alpha === 'number' ? alpha : 0.2 } : { name };
}

function padInFrontOf(kernel: NodeSpec, { byName, constant, onlyReader }: Surroundings): NodeChain['pad'] {
  const node = byName.get(nodeOf(kernel.inputs[0] ?? ''));
  if (node === undefined || onlyReader.get(node.name) !== kernel || !/^Pad(V2)?$/.test(node.op)) return undefined;
  const { s: padding } = attribute(kernel, 'padding');
  const amounts = constant(node.inputs[1]);
  const value = node.op === 'PadV2' ? constant(node.inputs[2])?.dataSync()[0] : 0;
  if (padding !== btoa('VALID') || amounts?.size !== 8 || value !== 0) return undefined;
  const values = [...amounts.dataSync()];
  return [0, 1, 6, 7].some((place) => values[place] !== 0) ? undefined : { node, amounts: values };
}

function isChannelsLast(node: NodeSpec): boolean {
  const { s: format } = attribute(node, 'data_format');
  return format === undefined || format === btoa('NHWC');
}

/** For each node whose first output has exactly one reader, and that reader is inside the graph: the reader. */
function onlyReaders(graph: NodeGraph): ReadonlyMap<string, NodeSpec> {
  const readers = new Map<string, { node: NodeSpec; output: number }[]>();
  for (const node of graph.nodes) {
    for (const reference of node.inputs) {
      const list = readers.get(nodeOf(reference)) ?? [];
      readers.set(nodeOf(reference), [...list, { node, output: outputOf(reference) }]);
    }
  }
  const data = new Set(dataNodes(graph));
  return new Map(
    [...readers].flatMap(([name, [reader, ...others]]) => {
      const alone = reader?.output === 0 && others.length === 0;
      return alone && data.has(name) && !graph.outputs.includes(name) ? [[name, reader.node]] : [];
    }),
  );
}
