// Nodes between SpaceToBatchND and BatchToSpaceND. TensorFlow writes dilated convolutions in this form: each example is
// divided into several, which the convolution treats as examples of their own.
import type { NodeGraph } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { nodeOf } from './nodeGraph.ts';

const changes: Readonly<Record<string, number>> = { SpaceToBatchND: 1, BatchToSpaceND: -1 };

/** Names of the nodes whose first axis holds parts of examples. */
export function nodesOfSplitExamples({ nodes }: NodeGraph): ReadonlySet<string> {
  const depths = new Map<string, number>();
  for (const { name, op, inputs } of nodes) {
    const entering = Math.max(0, ...inputs.map((reference) => depths.get(nodeOf(reference)) ?? 0));
    depths.set(name, Math.max(0, entering + (changes[op] ?? 0)));
  }
  return new Set([...depths].flatMap(([name, depth]) => (depth > 0 ? [name] : [])));
}

/**
 * Raises if a graph gives parts of examples.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` with the node.
 */
export function assertWholeExamples(graph: NodeGraph): void {
  const split = nodesOfSplitExamples(graph);
  const node = graph.outputs.map(nodeOf).find((name) => split.has(name));
  if (node === undefined) return;
  const text =
    `expected a graph that gives one value for each example, got '${graph.name}' up to '${node}', which lies between ` +
    'SpaceToBatchND and BatchToSpaceND, where examples are divided. Cut before or behind these nodes.';
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { node });
}
