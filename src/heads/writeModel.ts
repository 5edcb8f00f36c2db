// Base and head as one tfjs model: what `save` writes and tfjs loads, a LayersModel or a GraphModel as the base is.
import { dispose, type io, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { TransferModel } from '../core/model.ts';
import { isGraphTrunk, type GraphTrunk } from '../trunk/graphTrunk.ts';
import { appendLayer, freshName, joinGraphs, layerOf, type LayerGraph, type LayerSpec } from '../trunk/layerGraph.ts';
import { layersTrunkOf, type LayersTrunk } from '../trunk/layersTrunk.ts';
import { emptyDraft, finishDraft } from '../trunk/nodeDraft.ts';
import { writeNodes } from '../trunk/nodeGraph.ts';
import { writeCalls, type WritePlan } from '../trunk/writeCalls.ts';
import { writeTopology } from '../trunk/writeTopology.ts';
import { addProbabilities, signatureOf } from './graphParts.ts';

/** A model as tfjs knows it, with its tensors. */
export interface WrittenModel {
  readonly artifacts: Pick<io.ModelArtifacts, 'modelTopology' | 'format' | 'signature'>;
  /** Weights by name. They stay the model's. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Tensors among the weights that were made for this and are the caller's to free. */
  readonly made: readonly Tensor[];
  /** What `load` needs to build the head again: its layers, where the topology does not hold them. */
  readonly head: { readonly logits: string; readonly topology?: JsonObject };
}

/**
 * Joins base and head, and puts behind them the activation that turns logits into probabilities.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` for a head that has no form as nodes.
 */
export function writeModel(model: TransferModel): WrittenModel {
  const { base, head } = model;
  const headTrunk = layersTrunkOf(head.trunk);
  return isGraphTrunk(base.trunk)
    ? writeGraph(model, base.trunk, headTrunk)
    : writeLayers(model, layersTrunkOf(base.trunk), headTrunk);
}

function writeLayers({ head }: TransferModel, base: LayersTrunk, headTrunk: LayersTrunk): WrittenModel {
  const joined = joinGraphs(base.graph, headTrunk.graph);
  return {
    artifacts: { modelTopology: writeTopology(withActivation(joined, head.task)), format: 'layers-model' },
    weights: variables([...base.weights, ...headTrunk.weights]),
    made: [],
    head: { logits: logitsOf(headTrunk) },
  };
}

function withActivation(graph: LayerGraph, task: TransferModel['head']['task']): LayerGraph {
  if (task === 'regression') return graph;
  const name = freshName('probabilities', (candidate) => graph.layers.has(candidate));
  const config = { name, trainable: true, activation: task === 'classes' ? 'softmax' : 'sigmoid' };
  return appendLayer(graph, { name, className: 'Activation', config, path: [name] });
}

/** A plain `execute` gives the logits, then the probabilities. */
function writeGraph({ base, head }: TransferModel, trunk: GraphTrunk, headTrunk: LayersTrunk): WrittenModel {
  const draft = emptyDraft(trunk.nodes.nodes.map(({ name }) => name));
  const exit = headTrunk.graph.outputs[0]?.call ?? 0;
  // Unfolded: `load` looks for the head's own weights.
  const plan: WritePlan = { trunk: headTrunk, entry: 0, exit, input: base.cut, fold: false };
  const { output, unsupported } = writeCalls(plan, draft);
  const probabilities = addProbabilities(draft, output, head.task);
  const outputs = {
    [head.task === 'regression' ? 'values' : 'logits']: output,
    ...(probabilities && { probabilities }),
  };
  assertWritten(unsupported);
  const { nodes, constants } = finishDraft(draft);
  try {
    assertKept(headTrunk, constants);
  } catch (error) {
    dispose([...constants.values()]);
    throw error;
  }
  const graph = { ...trunk.nodes, nodes: [...trunk.nodes.nodes, ...nodes], outputs: Object.values(outputs) };
  return {
    artifacts: { modelTopology: writeNodes(graph), format: 'graph-model', signature: signatureOf(graph, outputs) },
    weights: { ...Object.fromEntries(trunk.constants), ...Object.fromEntries(constants) },
    made: [...constants.values()],
    head: { logits: logitsOf(headTrunk), topology: writeTopology(headTrunk.graph) },
  };
}

/** Raises unless every weight stands among the constants as it is. */
function assertKept({ weights, graph }: LayersTrunk, constants: ReadonlyMap<string, Tensor>): void {
  const changed = weights.filter(({ name, shape }) => {
    const found = constants.get(name)?.shape;
    return found?.length !== shape.length || !found.every((size, axis) => size === shape[axis]);
  });
  assertWritten(changed.flatMap(({ layer }) => graph.layers.get(layer) ?? []));
}

function assertWritten([first]: readonly LayerSpec[]): void {
  if (first === undefined) return;
  const { name, className } = first;
  const text =
    `save: expected a head of layers that have a form in a GraphModel (pooling, Flatten, Dense, BatchNormalization, ` +
    `Dropout …), got '${name}' (${className}). Build such a head, or use a LayersModel as base: then every layer can be saved.`;
  throw new TransferKitError('UNSUPPORTED_LAYER', text, { layer: name, className });
}

function variables(weights: TransferModel['base']['trunk']['weights']): Record<string, Tensor> {
  return Object.fromEntries(weights.map((weight) => [weight.name, weight.variable]));
}

function logitsOf({ graph }: LayersTrunk): string {
  return layerOf(graph, graph.outputs[0]?.call ?? 0).name;
}
