// Finds the start of the classifier of a GraphModel, from the kinds of its nodes.
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { dataNodes, nodeOf, nodesByName, outputOf } from '../graphs/nodeGraph.ts';
import { hasKernel } from '../graphs/nodeWeights.ts';

const passing = new Set(['Identity', 'Squeeze', 'Reshape', 'ExpandDims', 'BiasAdd', 'Add', 'AddV2']);
const probabilities = new Set(['Softmax', 'Sigmoid', 'LogSoftmax']);
const pooling = new Set(['Mean', 'AvgPool', 'Max', 'MaxPool']);
/** Operations that may follow the convolution of a classifier, before the pooling that makes one value per class. */
const activations = new Set(['Relu', 'Relu6', 'Elu', 'LeakyRelu']);

/**
 * The node whose output is the default for features: the input of the classifier.
 *
 * The classifier is the last node with a kernel, if only reshaping, a bias and a softmax or sigmoid follow it and if
 * its input is a vector: a matrix product, or a convolution after a pooling. If a pooling gives the logits, as in
 * SqueezeNet, the convolution before it is the classifier. Any other network, such as TF Hub's feature vectors, has no
 * classifier and is used completely.
 *
 * @throws TransferKitError `INVALID_OPTION` if the graph has several outputs, with possible cuts, the best first.
 */
export function findNodeCut(graph: NodeGraph): string {
  const [output] = graph.outputs;
  if (output !== undefined && graph.outputs.length === 1) return cutBefore(graph, output);
  const candidates = nodeCuts(graph).slice(0, 10);
  const text =
    `expected a graph with one output, got ${graph.outputs.slice(0, 10).join(', ') || 'none'}. Give cut: the ` +
    `node to take features from, the likeliest first: ${candidates.join(', ') || 'none, for nothing depends on the input'}.`;
  throw new TransferKitError('INVALID_OPTION', text, { outputs: graph.outputs, candidates });
}

/**
 * Possible cuts of a graph with several outputs: the inputs of its classifiers, nodes that all outputs depend on, then
 * the outputs themselves. Nodes that do not depend on the input are left out.
 */
function nodeCuts(graph: NodeGraph): string[] {
  const data = new Set(dataNodes(graph));
  const outputs = graph.outputs.filter((name) => data.has(name));
  const classifiers = outputs.map((output) => cutBefore(graph, output)).filter((cut) => !outputs.includes(cut));
  const found = [...classifiers, ...sharedNodes(graph, outputs), ...outputs];
  return [...new Set(found)].filter((name) => data.has(name) && name !== graph.input);
}

/**
 * Nodes that all outputs depend on, the last first, back to the last kernel. A node with several output tensors is left
 * out, because a cut uses only the first one.
 */
function sharedNodes(graph: NodeGraph, outputs: readonly string[]): string[] {
  const byName = nodesByName(graph.nodes);
  const leading = outputs.map((output) => ancestors(byName, output));
  const shared = dataNodes(graph).filter((name) => leading.every((names) => names.has(name)));
  const last = shared.findLastIndex((name) => {
    const node = byName.get(name);
    return node !== undefined && hasKernel(node);
  });
  const several = new Set(
    graph.nodes.flatMap(({ inputs }) => inputs.filter((reference) => outputOf(reference) > 0).map(nodeOf)),
  );
  return shared
    .slice(Math.max(0, last))
    .filter((name) => !several.has(name))
    .reverse();
}

function ancestors(byName: ReadonlyMap<string, NodeSpec>, output: string): Set<string> {
  const found = new Set([output]);
  for (const name of found) for (const reference of byName.get(name)?.inputs ?? []) found.add(nodeOf(reference));
  return found;
}

/** The input of the classifier before an output; the output itself if there is none. */
function cutBefore(graph: NodeGraph, output: string): string {
  const byName = nodesByName(graph.nodes);
  const data = new Set(dataNodes(graph));
  const read = (node: NodeSpec) => node.inputs.map(nodeOf).find((name) => data.has(name)) ?? graph.input;
  const seen = new Set<string>();
  let isProbability = false;
  let isMean = false;
  for (let name = output; name !== graph.input && !seen.has(name);) {
    seen.add(name);
    const node = byName.get(name);
    if (node === undefined) break;
    if (hasKernel(node)) {
      const features = read(node);
      const classifies = isProbability || node.op.includes('MatMul') || isPooled(features, byName, read);
      return classifies ? features : output;
    }
    // The mean over the map of each class.
    isMean ||= isProbability && pooling.has(node.op);
    isProbability ||= probabilities.has(node.op);
    const isPassed = passing.has(node.op) || probabilities.has(node.op) || (isMean && activations.has(node.op));
    if (!isPassed && !(isMean && pooling.has(node.op))) break;
    name = read(node);
  }
  return output;
}

function isPooled(name: string, byName: ReadonlyMap<string, NodeSpec>, read: (node: NodeSpec) => string): boolean {
  const seen = new Set<string>();
  for (let node = byName.get(name); node !== undefined && !seen.has(node.name); node = byName.get(read(node))) {
    if (pooling.has(node.op)) return true;
    if (!passing.has(node.op)) return false;
    seen.add(node.name);
  }
  return false;
}
