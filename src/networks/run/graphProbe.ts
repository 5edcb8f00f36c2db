// Runs a GraphModel to find the shapes at its possible cuts, which cannot be found otherwise.
import { dispose, slice, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { describeShape } from '../../core/shapes.ts';
import type { TensorSpec } from '../../core/types.ts';
import { assertSize } from '../graphs/limits.ts';
import { nodeOf } from '../graphs/nodeGraph.ts';
import { runNodes, type Graph } from './runNodes.ts';

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

/** Two examples, so that a graph for a fixed batch of one is detected. */
const batch = 2;

/**
 * Raises for graphs that tfjs runs only asynchronously and without gradients, and for graphs with a cycle.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` with the first such node, `NOT_A_MODEL` for a cycle.
 */
export function assertRunnable(graph: NodeGraph): void {
  const node = graph.nodes.find(({ op }) => controlFlow.has(op));
  if (node === undefined) {
    assertOrdered(graph);
    return;
  }
  const text =
    `expected a graph without control flow, got '${node.name}' (${node.op}). tfjs runs it only asynchronously ` +
    'and without gradients: cut before it, or run it with tf.loadGraphModel and train a head on its outputs.';
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { node: node.name, op: node.op });
}

/** Raises for nodes in a cycle, which have no order. */
function assertOrdered({ name, nodes }: NodeGraph): void {
  const done = new Set<string>();
  for (const node of nodes) {
    if (node.inputs.some((reference) => !done.has(nodeOf(reference)))) {
      const text = `expected a graph without circles, got '${name}', in which '${node.name}' waits for its own output.`;
      throw new TransferKitError('NOT_A_MODEL', text, { node: node.name });
    }
    done.add(node.name);
  }
}

/**
 * Runs the graph on zeros, from node to node, and returns the shape and type of each output, with a free batch axis.
 *
 * @param names - Nodes that all values pass through, in order.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` with tfjs's reason, or if the graph has a fixed batch size.
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
      if (next.shape[0] !== batch) throw fixedBatch(graph, { name, entry }, describeShape(next.shape));
      entry = name;
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
    if (runsOnOne(model, entry, input, exit))
      throw fixedBatch(graph, { name: exit, entry }, `an error (${reason})`, error);
    const text =
      `expected a graph that runs on ${describeShape(input.shape)} at '${entry}', got an error up to '${exit}' ` +
      `of '${graph.name}': ${reason}`;
    throw new TransferKitError('UNSUPPORTED_SOURCE', text, { node: exit, reason }, error);
  }
}

/** Whether a step that fails for a batch works for one example. Then the batch size is fixed in the graph. */
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

interface Place {
  readonly name: string;
  /** The last node before it that gives a batch of any size. */
  readonly entry: string;
}

function fixedBatch(graph: NodeGraph, { name, entry }: Place, found: string, cause?: unknown): TransferKitError {
  const advice = entry === graph.input ? '' : `, or cut before that node: cut: '${entry}'`;
  const text =
    `expected a graph that takes any number of examples, got '${graph.name}' with a fixed batch axis: it gives ` +
    `${found} at '${name}' for ${String(batch)}. Export it with a free batch axis${advice}.`;
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { node: name, found }, cause);
}
