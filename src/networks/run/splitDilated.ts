// Splits fused convolutions of a GraphModel that tfjs runs without a gradient into single operations.
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { isJsonList, isJsonObject, numericOf, type Json } from '../../core/json.ts';
import { emptyDraft, scopeIn } from '../graphs/nodeDraft.ts';
import { attribute } from '../graphs/nodeGraph.ts';

/** Fused convolutions and their operations without a bias. */
const unfused: Readonly<Record<string, string>> = {
  _FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative',
};

/**
 * Splits every dilated convolution that only adds a bias into two nodes; the second keeps the name. tfjs itself splits
 * those with an activation while gradients are recorded.
 */
export function splitDilated(graph: NodeGraph): NodeGraph {
  if (!graph.nodes.some(isSplit)) return graph;
  const draft = emptyDraft(graph.nodes.map(({ name }) => name));
  for (const node of graph.nodes) {
    if (!isSplit(node)) {
      draft.nodes.push(node);
      continue;
    }
    const { fused_ops: _ops, num_args: _count, ...kept } = node.attr;
    const [x = '', filter = '', bias = ''] = node.inputs;
    const convolved = scopeIn(draft, node.name).node(unfused[node.op] ?? node.op, [x, filter], kept);
    draft.nodes.push({ ...node, op: 'BiasAdd', inputs: [convolved, bias], attr: { T: attribute(node, 'T') } });
  }
  return { ...graph, nodes: draft.nodes };
}

function isSplit(node: NodeSpec): boolean {
  if (!(node.op in unfused) || attribute(node, 'data_format').s === btoa('NCHW')) return false;
  const steps = listOf(node, 'fused_ops', 's');
  const addsBias = steps.length === 1 && steps[0] === btoa('BiasAdd');
  return addsBias && listOf(node, 'dilations', 'i').some((rate) => numericOf(rate) !== 1);
}

function listOf(node: NodeSpec, name: string, kind: 's' | 'i'): readonly Json[] {
  const { list } = attribute(node, name);
  const values = isJsonObject(list) ? list[kind] : undefined;
  return isJsonList(values) ? values : [];
}
