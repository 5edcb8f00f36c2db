// Base and head as one tfjs model: what `save` writes and tfjs loads, a LayersModel or a GraphModel as the base is.
import { tensor1d, type io, type Tensor } from '@tensorflow/tfjs-core';
import type { JsonObject } from '../core/json.ts';
import type { TransferModel, Trunk } from '../core/types.ts';
import { isGraphTrunk, type GraphTrunk } from '../trunk/graphTrunk.ts';
import { appendLayer, freshName, joinGraphs, layerOf, type LayerGraph } from '../trunk/layerGraph.ts';
import { layersTrunkOf, type LayersTrunk } from '../trunk/layersTrunk.ts';
import { attribute, nodesByName, writeNodes, type NodeGraph, type NodeSpec } from '../trunk/nodeGraph.ts';
import { writeTopology } from '../trunk/writeTopology.ts';
import { headNodes, type HeadNodes } from './headNodes.ts';

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

/** Names in a base that a head must not use again. */
export function takenNames(base: Trunk): ReadonlySet<string> {
  if (isGraphTrunk(base)) return new Set(base.nodes.nodes.flatMap(({ name }) => [name, name.split('/')[0] ?? name]));
  return new Set(layersTrunkOf(base).graph.layers.keys());
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
  const written = headNodes(headTrunk, base.cut);
  const outputs = { [head.task === 'regression' ? 'values' : 'logits']: written.output };
  const nodes = [...trunk.nodes.nodes, ...constantNodes(headTrunk, written), ...written.nodes];
  if (head.task !== 'regression') {
    const op = head.task === 'classes' ? 'Softmax' : 'Sigmoid';
    const name = freshName('probabilities', (candidate) => nodesByName(nodes).has(candidate));
    nodes.push({ name, op, inputs: [written.output], attr: { T: { type: 'DT_FLOAT' } } });
    Object.assign(outputs, { probabilities: name });
  }
  const graph: NodeGraph = { ...trunk.nodes, nodes, outputs: Object.values(outputs) };
  const made = written.integers.map(({ name, values }) => [name, tensor1d([...values], 'int32')] as const);
  return {
    artifacts: { modelTopology: writeNodes(graph), format: 'graph-model', signature: signatureOf(graph, outputs) },
    weights: { ...Object.fromEntries(trunk.constants), ...variables(headTrunk.weights), ...Object.fromEntries(made) },
    made: made.map(([, tensor]) => tensor),
    head: { logits: logitsOf(headTrunk), topology: writeTopology(headTrunk.graph) },
  };
}

function constantNodes(head: LayersTrunk, { integers }: HeadNodes): NodeSpec[] {
  return [
    ...head.weights.map(({ name, shape }) => constantNode(name, 'DT_FLOAT', shape)),
    ...integers.map(({ name, values }) => constantNode(name, 'DT_INT32', [values.length])),
  ];
}

function constantNode(name: string, type: string, shape: readonly number[]): NodeSpec {
  const tensorShape = { dim: shape.map((axis) => ({ size: String(axis) })) };
  return { name, op: 'Const', inputs: [], attr: { dtype: { type }, value: { tensor: { dtype: type, tensorShape } } } };
}

function signatureOf(graph: NodeGraph, outputs: Readonly<Record<string, string>>): JsonObject {
  const input = nodesByName(graph.nodes).get(graph.input);
  const dtype = attribute(input, 'dtype').type ?? 'DT_FLOAT';
  const tensorShape = attribute(input, 'shape').shape ?? {};
  return {
    inputs: { [graph.input]: { name: `${graph.input}:0`, dtype, tensorShape } },
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([key, name]) => [key, { name: `${name}:0`, dtype: 'DT_FLOAT' }]),
    ),
  };
}

function variables(weights: TransferModel['base']['trunk']['weights']): Record<string, Tensor> {
  return Object.fromEntries(weights.map((weight) => [weight.name, weight.variable]));
}

function logitsOf({ graph }: LayersTrunk): string {
  return layerOf(graph, graph.outputs[0]?.call ?? 0).name;
}
