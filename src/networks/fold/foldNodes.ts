// Fuses the nodes of a GraphModel, like those of layers. Nodes that a converter has fused are kept.
import { disposal } from '../../core/disposal.ts';
import { add, clone, div, mul, ones, reshape, rsqrt, scalar, sub, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';
import type { FoldedPart, TensorSpec } from '../../core/types.ts';
import { scaledBias, scaledKernel, type LateScale } from '../write/lateScale.ts';
import { nodeChains, type NodeChain, type ScaleNode } from './nodeChains.ts';
import { emptyDraft, finishDraft, scopeIn, type NodeDraft } from '../graphs/nodeDraft.ts';
import { nodeOf, nodePart, nodesLeadingTo, outputOf } from '../graphs/nodeGraph.ts';
import { prepareProgram } from '../engines/prepareProgram.ts';
import { writeProduct } from '../write/writeKernel.ts';

/** A graph and the values of its constants, which the caller owns. */
export interface FoldedNodes {
  readonly graph: NodeGraph;
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * Returns a graph with fewer nodes and the same function. The nodes of its outputs may have other names, in the same
 * order.
 *
 * @param constants - Values of the graph's constants. The caller still owns them.
 */
export function foldNodes(graph: NodeGraph, constants: ReadonlyMap<string, Tensor>): FoldedNodes {
  const chains = nodeChains(graph, constants);
  const endings = new Map(chains.map((chain) => [chain.nodes.at(-1)?.name, chain]));
  const hidden = new Set(chains.flatMap(({ nodes }) => nodes.slice(0, -1).map(({ name }) => name)));
  const draft = emptyDraft(graph.nodes.map(({ name }) => name));
  const renamed = new Map<string, string>();
  const moved = (reference: string) =>
    (outputOf(reference) > 0 ? undefined : renamed.get(nodeOf(reference))) ?? reference;
  for (const node of graph.nodes) {
    const chain = endings.get(node.name);
    if (chain !== undefined) renamed.set(node.name, writeChain(draft, chain, moved));
    else if (!hidden.has(node.name)) draft.nodes.push({ ...node, inputs: node.inputs.map(moved) });
    const value = constants.get(node.name);
    if (value !== undefined) draft.constants.set(node.name, () => clone(value));
  }
  const folded = nodesLeadingTo({ ...graph, nodes: draft.nodes }, graph.outputs.map(moved));
  const needed = new Set(folded.nodes.map(({ name }) => name));
  for (const name of draft.constants.keys()) if (!needed.has(name)) draft.constants.delete(name);
  const finished = finishDraft({ ...draft, nodes: [...folded.nodes] });
  return { graph: { ...folded, nodes: finished.nodes }, constants: finished.constants };
}

/** Writes a chain as one node and returns its name. */
function writeChain(draft: NodeDraft, chain: NodeChain, moved: (reference: string) => string): string {
  const { pad, kernel, kind, filter, bias, scales, activation, channels, nodes } = chain;
  const by = scales.length === 0 ? undefined : combined(scales, channels);
  const weights = {
    name: 'kernel',
    kernel: scaledKernel(filter, filter.shape, by),
    bias: bias === undefined && by === undefined ? undefined : scaledBias(bias, channels, by),
    outputs: channels,
  };
  const scope = scopeIn(draft, nodes.at(-1)?.name ?? kernel.name);
  const x = moved((pad?.node ?? kernel).inputs[0] ?? '');
  return writeProduct({ scope, activation }, kind, x, weights, attributesOf(chain));
}

/** Attributes of a kernel's node about windows and axes, including the padding before it. */
function attributesOf({ kernel: { attr }, pad }: NodeChain): JsonObject {
  const { fused_ops: _ops, num_args: _count, epsilon: _epsilon, leakyrelu_alpha: _slope, ...kept } = attr;
  if (pad === undefined) return kept;
  return { ...kept, padding: { s: btoa('EXPLICIT') }, explicit_paddings: { list: { i: pad.amounts.map(String) } } };
}

/** Combines consecutive steps into one factor and one summand for each channel. */
function combined(steps: readonly ScaleNode[], channels: number): LateScale {
  const compute = () => ({
    scale: steps.reduce<Tensor>((scale, step) => mul(scale, factorOf(step)), ones([channels])),
    shift: steps.reduce<Tensor>(shifted, zeros([channels])),
  });
  return { channels, compute };
}

function factorOf({ op, values, epsilon }: ScaleNode): Tensor | number {
  const [first = scalar(1), , , variance = first] = values.map(flat);
  switch (op) {
    case 'add':
    case 'subtract':
      return 1;
    case 'multiply':
      return first;
    case 'divide':
      return div(1, first);
    case 'normalize':
      return mul(first, rsqrt(add(variance, epsilon)));
  }
}

/** Applies a step to the summand of the steps before it. */
function shifted(sum: Tensor, step: ScaleNode): Tensor {
  const [first = scalar(0), offset = first, mean = first] = step.values.map(flat);
  switch (step.op) {
    case 'add':
      return add(sum, first);
    case 'subtract':
      return sub(sum, first);
    case 'multiply':
    case 'divide':
      return mul(sum, factorOf(step));
    case 'normalize':
      return add(mul(sub(sum, mean), factorOf(step)), offset);
  }
}

/** One value for each channel, or a single number. */
function flat(value: Tensor): Tensor {
  return reshape(value, value.size === 1 ? [] : [value.size]);
}

/**
 * Fuses the nodes between two nodes of a graph.
 *
 * @param input - Shape and type of the part's input.
 * @param entry - The node whose output becomes the input. Default: the graph's input.
 * @param exit - The node whose output is computed. Default: the graph's input.
 */
export async function foldPart(
  graph: NodeGraph,
  constants: ReadonlyMap<string, Tensor>,
  input: TensorSpec,
  entry: string = graph.input,
  exit: string = graph.input,
): Promise<FoldedPart> {
  const folded = foldNodes(nodePart(graph, entry, exit), constants);
  return { ...(await prepareProgram({ ...folded, input })), ...disposal(), unfolded: [] };
}
