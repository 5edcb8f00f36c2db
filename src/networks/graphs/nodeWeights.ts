// Finds out which constants of a GraphModel are trained weights and which are settings, from the nodes that read them.
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import type { FixedConstant, WeightKind } from '../../core/types.ts';
import { dataNodes, nodeOf } from './nodeGraph.ts';

/** A constant that training may change. */
export interface NodeWeight {
  /** Name of the constant. */
  readonly name: string;
  /** The first node that reads it. */
  readonly reader: string;
  readonly kind: WeightKind;
}

/** Facts about a tensor of the file that the decision needs. */
export interface ConstantFacts {
  readonly dtype: string;
  /** Number of values. */
  readonly size: number;
}

type Role = (input: number) => WeightKind | undefined;

const kernelAndBias: Role = (input) => (input === 1 ? 'kernel' : input === 2 ? 'bias' : undefined);
const normalization: Role = (input) =>
  input === 1 ? 'gamma' : input === 2 ? 'beta' : input === 3 || input === 4 ? 'statistics' : undefined;
const product: Role = () => 'kernel';
const firstIsTable: Role = (input) => (input === 0 ? 'kernel' : undefined);
const secondIsBias: Role = (input) => (input === 1 ? 'bias' : undefined);

/** Role of each input of an operation, for operations with weights. */
const roles: Readonly<Record<string, Role>> = {
  Conv1D: kernelAndBias,
  Conv2D: kernelAndBias,
  Conv2DBackpropInput: kernelAndBias,
  Conv3D: kernelAndBias,
  DepthwiseConv2d: kernelAndBias,
  DepthwiseConv2dNative: kernelAndBias,
  // Inputs after the bias are the slopes of a PReLU, or belong to a folded normalisation.
  _FusedConv2D: (input) => kernelAndBias(input) ?? (input > 2 ? 'other' : undefined),
  FusedDepthwiseConv2dNative: (input) => kernelAndBias(input) ?? (input > 2 ? 'other' : undefined),
  _FusedMatMul: (input) => (input < 2 ? 'kernel' : input === 2 ? 'bias' : 'other'),
  MatMul: product,
  BatchMatMul: product,
  BatchMatMulV2: product,
  BiasAdd: secondIsBias,
  BiasAddV1: secondIsBias,
  FusedBatchNorm: normalization,
  FusedBatchNormV2: normalization,
  FusedBatchNormV3: normalization,
  Prelu: (input) => (input === 1 ? 'other' : undefined),
  GatherV2: firstIsTable,
  Gather: firstIsTable,
  ResourceGather: firstIsTable,
  // A normalisation that was decomposed is a product and a sum with one value per channel.
  Mul: () => 'gamma',
  Add: () => 'beta',
  AddV2: () => 'beta',
};

const scales: ReadonlySet<string> = new Set(['Mul', 'Add', 'AddV2']);

/** Whether a node acts like a layer with a kernel. A stage begins before it. */
export function hasKernel(node: NodeSpec): boolean {
  return !scales.has(node.op) && [0, 1].some((input) => roles[node.op]?.(input) === 'kernel');
}

/**
 * Divides the constants of a graph into weights and settings.
 *
 * Weights are floating-point constants that an operation reads as kernel, bias, scale or offset. These stay constant:
 * constants before the first kernel (preprocessing), single numbers, integers, and constants that other constants are
 * computed from.
 *
 * @param facts - Type and size of a constant in the file. Undefined if the file has no values for it.
 */
export function divideConstants(
  graph: NodeGraph,
  facts: (name: string) => ConstantFacts | undefined,
): { readonly weights: readonly NodeWeight[]; readonly fixed: readonly FixedConstant[] } {
  const behindKernel = nodesBehindKernels(graph);
  const data = new Set(dataNodes(graph));
  const weights: NodeWeight[] = [];
  const fixed: FixedConstant[] = [];
  for (const { name, op } of graph.nodes) {
    const known = facts(name);
    if (op !== 'Const' || known === undefined) continue;
    const uses = usesOf(graph, name, data);
    const found = judge(known, uses, data, behindKernel);
    if (typeof found === 'string') fixed.push({ name, reason: found });
    else weights.push({ name, ...found });
  }
  return { weights, fixed };
}

interface Use {
  readonly reader: NodeSpec;
  readonly input: number;
}

/** The readers of a constant, also through Identity nodes, which read frozen variables. */
function usesOf(graph: NodeGraph, name: string, data: ReadonlySet<string>): Use[] {
  return graph.nodes.flatMap((reader) => {
    if (!reader.inputs.some((reference) => nodeOf(reference) === name)) return [];
    if (reader.op === 'Identity' && !data.has(reader.name)) return usesOf(graph, reader.name, data);
    return reader.inputs.flatMap((reference, input) => (nodeOf(reference) === name ? [{ reader, input }] : []));
  });
}

/** The weight of a constant, or the reason why it is none. */
function judge(
  { dtype, size }: ConstantFacts,
  uses: readonly Use[],
  data: ReadonlySet<string>,
  behindKernel: ReadonlySet<string>,
): { reader: string; kind: WeightKind } | string {
  const [first] = uses;
  if (first === undefined) return 'nothing reads it';
  if (dtype !== 'float32') return `its values are ${dtype}`;
  if (uses.some(({ reader }) => !data.has(reader.name))) return 'other constants are computed from it';
  if (!uses.every(({ reader }) => hasKernel(reader) || behindKernel.has(reader.name))) {
    return 'it is preprocessing, in front of the first kernel';
  }
  const kinds = uses.map(({ reader, input }) => roles[reader.op]?.(input));
  const [kind] = kinds;
  if (kind === undefined || kinds.includes(undefined)) {
    const other = uses[kinds.indexOf(undefined)] ?? first;
    return `${other.reader.op} reads it as a setting`;
  }
  if (scales.has(first.reader.op) && size <= 1) return 'it is a single number';
  return { reader: first.reader.name, kind };
}

/** Nodes that depend on the output of a node with a kernel. */
function nodesBehindKernels(graph: NodeGraph): Set<string> {
  const kernels = new Set<string>();
  const behind = new Set<string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(nodeOf);
    if (inputs.some((name) => kernels.has(name) || behind.has(name))) behind.add(node.name);
    if (hasKernel(node)) kernels.add(node.name);
  }
  return behind;
}
