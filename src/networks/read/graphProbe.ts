// What can be known of a GraphModel only by running it: the shapes at the places where it can be cut.
import { dispose, slice, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { describeShape } from '../../core/shapes.ts';
import type { TensorSpec } from '../../core/types.ts';
import { assertSize } from './limits.ts';
import { nodeOf } from './nodeGraph.ts';
import { runNodes, type Graph } from '../run/runNodes.ts';

const controlFlow: ReadonlySet<string> = new Set([
  'Switch',
  'Merge',
  'Enter',
  'Exit',
  'NextIteration',
  'LoopCond',
  'While',
  'StatelessWhile',
  'If',
  'StatelessIf',
]);

/** Two examples: a graph made for exactly one is found out. */
const batch = 2;

/**
 * Raises for graphs that tfjs runs only asynchronously, without gradients, and for those that run in a circle.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` naming the first such node, `NOT_A_MODEL` for a circle.
 */
export function assertRunnable(graph: NodeGraph): void {
  const node = graph.nodes.find(({ op }) => controlFlow.has(op));
  if (node === undefined) {
    assertOrdered(graph);
    return;
  }
  const text =
    `loadBase: expected a graph without control flow, got '${node.name}' (${node.op}). tfjs runs it only asynchronously ` +
    'and without gradients: cut before it, or run it with tf.loadGraphModel and train a head on its outputs.';
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { node: node.name, op: node.op });
}

/** Nodes that wait for each other come in no order. */
function assertOrdered({ name, nodes }: NodeGraph): void {
  const done = new Set<string>();
  for (const node of nodes) {
    if (node.inputs.some((reference) => !done.has(nodeOf(reference)))) {
      const text = `loadBase: expected a graph without circles, got '${name}', in which '${node.name}' waits for its own output.`;
      throw new TransferKitError('NOT_A_MODEL', text, { node: node.name });
    }
    done.add(node.name);
  }
}

/**
 * Runs one node after another on zeros and gives the shape and type of each output, the batch axis free.
 *
 * @param names - Nodes that everything passes through, in order.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` with tfjs's reason, or when the graph was made for a fixed batch.
 */
export function probe(
  graph: NodeGraph,
  model: Graph,
  names: readonly string[],
  input: TensorSpec,
): ReadonlyMap<string, TensorSpec> {
  const specs = new Map<string, TensorSpec>();
  assertSize(`the input '${graph.input}'`, input.shape);
  let entry = graph.input;
  let current: Tensor = zeros(
    input.shape.map((axis) => axis ?? batch),
    input.dtype,
  );
  try {
    for (const name of names) {
      const next = step(graph, model, entry, current, name);
      dispose(current);
      current = next;
      entry = name;
      if (next.shape[0] !== batch) throw fixedBatch(graph, name, describeShape(next.shape));
      assertSize(`node '${name}'`, next.shape.slice(1));
      specs.set(name, { shape: [null, ...next.shape.slice(1)], dtype: next.dtype });
    }
    return specs;
  } finally {
    dispose(current);
  }
}

function step(graph: NodeGraph, model: Graph, entry: string, input: Tensor, exit: string): Tensor {
  try {
    return runNodes(model, { entry, input, exit });
  } catch (error) {
    if (isTransferKitError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (runsOnOne(model, entry, input, exit)) throw fixedBatch(graph, exit, `an error (${reason})`, error);
    const text =
      `loadBase: expected a graph that runs on ${describeShape(input.shape)} at '${entry}', got an error up to '${exit}' ` +
      `of '${graph.name}': ${reason}`;
    throw new TransferKitError('UNSUPPORTED_SOURCE', text, { node: exit, reason }, error);
  }
}

/** Whether what fails for a batch does not fail for one example: its number is written into the graph. */
function runsOnOne(model: Graph, entry: string, input: Tensor, exit: string): boolean {
  return tidy(() => {
    try {
      runNodes(model, { entry, input: slice(input, 0, 1), exit });
      return true;
    } catch {
      return false;
    }
  });
}

function fixedBatch(graph: NodeGraph, name: string, found: string, cause?: unknown): TransferKitError {
  const text =
    `loadBase: expected a graph that takes any number of examples, got '${graph.name}' with a fixed batch axis: it gives ` +
    `${found} at '${name}' for ${String(batch)}. Export it with a free batch axis, or cut before that node.`;
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { node: name, found }, cause);
}
