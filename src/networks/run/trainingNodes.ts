// Runs GraphModels with BatchNorm in training mode: nodes that compute mean and variance of the batch replace the
// constants of a FusedBatchNorm. tfjs has gradients for all of these nodes.
import { tensor1d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { BatchNorm, BatchStatistics } from './batchStatistics.ts';
import { addInput, emptyDraft, integer, scopeIn } from '../graphs/nodeDraft.ts';
import { constantNode, nodesByName } from '../graphs/nodeGraph.ts';
import { emptyModel, type Graph, type NodeRun } from './runNodes.ts';

/** The nodes of a graph that normalise by weights. */
export function nodeNorms(graph: NodeGraph, weights: readonly TrunkWeight[]): BatchNorm[] {
  const named = new Map(weights.map((weight) => [weight.name, weight]));
  const byName = nodesByName(graph.nodes);
  const weightAt = (reference: string | undefined) => named.get(constantNode(byName, reference)?.name ?? '');
  return graph.nodes.flatMap(({ name, op, inputs }) => {
    if (!/^FusedBatchNorm(V[23])?$/.test(op)) return [];
    const [mean, variance] = [weightAt(inputs[3]), weightAt(inputs[4])];
    return mean === undefined || variance === undefined ? [] : [{ name, mean, variance, config: {} }];
  });
}

/** A graph in which some nodes normalise by their batch. It shares the constants of the original model. */
export interface TrainingGraph {
  /** Runs a part that contains all of these nodes. The caller owns the result. */
  run(run: NodeRun, statistics: BatchStatistics): Tensor;
}

/**
 * Returns a function that makes such a graph for some nodes, by name. It keeps the last one for calls with the same
 * names.
 *
 * @param model - Has the values of the graph's constants. It must not be disposed of earlier.
 */
export function trainingGraphs(graph: NodeGraph, model: Graph): (names: readonly string[]) => TrainingGraph {
  let last: (TrainingGraph & { readonly key: string }) | undefined;
  return (names) => {
    const key = names.join('\n');
    if (last?.key !== key) last = { key, ...trainingGraph(graph, model, names) };
    return last;
  };
}

function trainingGraph(graph: NodeGraph, model: Graph, names: readonly string[]): TrainingGraph {
  const { nodes, axes, moments } = withMoments(graph, new Set(names));
  const training = emptyModel({ ...graph, nodes });
  Object.assign(training.weights, model.weights);
  const wanted = moments.flatMap(({ mean, variance }) => [mean, variance]);
  return {
    run: ({ entry, input, exit }, statistics) =>
      tidy(() => {
        const given = { [entry]: input, [axes]: tensor1d([0, 1, 2], 'int32') };
        const found = training.execute(given, [exit, ...wanted]);
        const [output, ...rest] = Array.isArray(found) ? found : [found];
        moments.forEach(({ norm }, i) => {
          const [mean, variance] = rest.slice(2 * i);
          if (mean !== undefined && variance !== undefined) statistics.move(norm, { mean, variance });
        });
        if (output === undefined) throw internalError(`${exit} gave no tensor`);
        return output;
      }),
  };
}

/** A node that normalises by its batch, and the nodes that compute mean and variance for it. */
interface NodeMoments {
  readonly norm: string;
  readonly mean: string;
  readonly variance: string;
}

/** A graph with additional nodes that compute moments; `axes` collects the axes of batch, height and width. */
function withMoments(graph: NodeGraph, names: ReadonlySet<string>) {
  const draft = emptyDraft(graph.nodes.map(({ name }) => name));
  const axes = addInput(draft, 'batch_norm_axes', [3], integer);
  const moments: NodeMoments[] = [];
  for (const node of graph.nodes) {
    const [x = '', gamma = '', beta = ''] = node.inputs;
    if (!names.has(node.name)) {
      draft.nodes.push(node);
      continue;
    }
    const scope = scopeIn(draft, node.name);
    const mean = scope.node('Mean', [x, axes]);
    // tfjs's gradient of SquaredDifference needs tensors of the same shape.
    const distance = scope.node('Square', [scope.node('Sub', [x, mean])]);
    const variance = scope.node('Mean', [distance, axes]);
    draft.nodes.push({ ...node, inputs: [x, gamma, beta, mean, variance] });
    moments.push({ norm: node.name, mean, variance });
  }
  return { nodes: draft.nodes, axes, moments };
}
