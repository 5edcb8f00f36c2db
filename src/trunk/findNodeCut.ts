// Finds where the classifier of a GraphModel begins, from the kinds of its nodes alone.
import { TransferKitError } from '../core/errors.ts';
import { dataNodes, nodeOf, nodesByName, type NodeGraph, type NodeSpec } from './nodeGraph.ts';
import { hasKernel } from './nodeWeights.ts';

const passing = new Set(['Identity', 'Squeeze', 'Reshape', 'ExpandDims', 'BiasAdd', 'Add', 'AddV2']);
const probabilities = new Set(['Softmax', 'Sigmoid', 'LogSoftmax']);
const pooling = new Set(['Mean', 'AvgPool', 'Max', 'MaxPool']);

/**
 * The node whose output is the best default for features: what the classifier reads.
 *
 * The classifier is the last node with a kernel when only reshaping, a bias and a softmax or sigmoid lie behind it and it
 * works on a vector: a matrix product, or a convolution behind a pooling. Any other network, such as TF Hub's feature
 * vectors, has no classifier and is taken whole.
 *
 * @throws TransferKitError `INVALID_OPTION` when the graph has several outputs.
 */
export function findNodeCut(graph: NodeGraph): string {
  const [output] = graph.outputs;
  if (output === undefined || graph.outputs.length > 1) {
    const found = graph.outputs.slice(0, 10).join(', ');
    const text = `loadBase: expected a graph with one output, got ${found}. Give cut: the node to take features from.`;
    throw new TransferKitError('INVALID_OPTION', text, { outputs: graph.outputs });
  }
  const byName = nodesByName(graph.nodes);
  const data = new Set(dataNodes(graph));
  const read = (node: NodeSpec) => node.inputs.map(nodeOf).find((name) => data.has(name)) ?? graph.input;
  let isProbability = false;
  for (let name = output; name !== graph.input;) {
    const node = byName.get(name);
    if (node === undefined) break;
    if (hasKernel(node)) {
      const features = read(node);
      const classifies = isProbability || node.op.includes('MatMul') || isPooled(features, byName, read);
      return classifies ? features : output;
    }
    isProbability ||= probabilities.has(node.op);
    if (!passing.has(node.op) && !probabilities.has(node.op)) break;
    name = read(node);
  }
  return output;
}

function isPooled(name: string, byName: ReadonlyMap<string, NodeSpec>, read: (node: NodeSpec) => string): boolean {
  const node = byName.get(name);
  if (node === undefined) return false;
  return pooling.has(node.op) || (passing.has(node.op) && isPooled(read(node), byName, read));
}
