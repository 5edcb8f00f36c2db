// Writes base and head as one tfjs model for `save`: a LayersModel or a GraphModel, depending on the base.
import { dispose, type io, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { byHead } from '../../model/headParts.ts';
import type { JsonObject } from '../../core/json.ts';
import type { AnyModel, HeadPart } from '../../model/model.ts';
import type { LayersTrunk, TrunkWeight } from '../../core/types.ts';
import { joinGraphs, layerOf } from '../graphs/layerGraph.ts';
import { emptyDraft, finishDraft, type NodeDraft } from '../graphs/nodeDraft.ts';
import { writeNodes } from '../graphs/nodeGraph.ts';
import { hasLayers, nodesOfBase, type BaseNodes } from './baseNodes.ts';
import { writeTopology } from './writeTopology.ts';
import { addAnswer, outputKeys, signatureOf, writeLogits } from './graphParts.ts';
import { logitsOf, withAnswers } from './headGraph.ts';

/** A model in tfjs's format, with its tensors. */
export interface WrittenModel {
  readonly artifacts: Pick<io.ModelArtifacts, 'modelTopology' | 'format' | 'signature'>;
  /** Weights by name. The model keeps them. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Tensors among the weights that were created here. The caller frees them. */
  readonly made: readonly Tensor[];
  /** Name of the layer or node that gives the features. */
  readonly cut: string;
  /** Data that `load` needs to build the head again: its layers, if the topology does not hold them. */
  readonly head: { readonly logits: string | Readonly<Record<string, string>>; readonly topology?: JsonObject };
  /** Metadata that tfjs reads. */
  readonly metadata: { readonly structuredOutputKeys?: string[] };
}

/**
 * Joins base and head, and adds the activations that turn logits into probabilities.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` for a head that cannot be written as nodes, `UNSUPPORTED_TRUNK` for a
 * base that cannot be written.
 */
export function writeModel(model: AnyModel): WrittenModel {
  const { trunk } = model.base;
  return hasLayers(trunk) ? writeLayers(model, trunk) : writeGraph(model, nodesOfBase(model.base));
}

function writeLayers({ base: { cut }, head }: AnyModel, trunk: LayersTrunk): WrittenModel {
  const joined = joinGraphs(trunk.layers.graph, head.trunk.layers.graph);
  return {
    artifacts: { modelTopology: writeTopology(withAnswers(joined, head.parts)), format: 'layers-model' },
    weights: variables([...trunk.weights, ...head.trunk.weights]),
    made: [],
    cut,
    head: { logits: savedLogits(head.trunk, head.parts) },
    metadata: {},
  };
}

/** A plain `execute` returns the logits, then the probabilities; with named heads the outputs of each. */
function writeGraph({ head: { trunk, parts } }: AnyModel, base: BaseNodes): WrittenModel {
  const made = [...base.constants.values()];
  try {
    const { nodes, constants, outputs } = writeHead(trunk, parts, base);
    made.push(...constants.values());
    assertKept(trunk, constants);
    const graph = { ...base.graph, nodes: [...base.graph.nodes, ...nodes], outputs: Object.values(outputs) };
    return {
      artifacts: { modelTopology: writeNodes(graph), format: 'graph-model', signature: signatureOf(graph, outputs) },
      weights: { ...Object.fromEntries(base.constants), ...Object.fromEntries(constants) },
      made,
      cut: base.features,
      head: { logits: savedLogits(trunk, parts), topology: writeTopology(trunk.layers.graph) },
      metadata: outputKeys(parts),
    };
  } catch (error) {
    dispose(made);
    throw error;
  }
}

/** The nodes of a head after those of a base, not folded, because `load` looks for the head's own weights. */
function writeHead(trunk: LayersTrunk, parts: readonly HeadPart[], { graph, features }: BaseNodes) {
  const draft = emptyDraft(graph.nodes.map(({ name }) => name));
  const { logits, unsupported } = writeLogits(trunk, parts, { features, fold: false }, draft);
  const outputs = Object.fromEntries(parts.flatMap((part, place) => outputsOf(part, logits[place] ?? features, draft)));
  assertWritten(unsupported);
  return { ...finishDraft(draft), outputs };
}

/** Outputs of one head: their names for callers, and their nodes. */
function outputsOf(part: HeadPart, logits: string, draft: NodeDraft): (readonly [string, string])[] {
  const answer = addAnswer(draft, logits, part);
  if (answer === undefined) return [['values', logits]];
  if (part.name !== '') return [[part.name, answer]];
  return [
    ['logits', logits],
    ['probabilities', answer],
  ];
}

/** Raises unless every weight is among the constants, unchanged. */
function assertKept({ weights, layers: { graph } }: LayersTrunk, constants: ReadonlyMap<string, Tensor>): void {
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
    'expected a head of layers that have a form in a GraphModel (pooling, Flatten, Dense, BatchNormalization, ' +
    `Dropout …), got '${name}' (${className}). Build such a head, or use a LayersModel as base: then every layer can be saved.`;
  throw new TransferKitError('UNSUPPORTED_LAYER', text, { layer: name, className });
}

function variables(weights: readonly TrunkWeight[]): Record<string, Tensor> {
  return Object.fromEntries(weights.map((weight) => [weight.name, weight.variable]));
}

/** The layers whose outputs are the logits. */
function savedLogits(
  { layers: { graph } }: LayersTrunk,
  parts: readonly HeadPart[],
): string | Readonly<Record<string, string>> {
  const layers = logitsOf(graph, parts.length).map(({ call }) => layerOf(graph, call).name);
  return byHead(parts, (part) => layers[parts.indexOf(part)] ?? '');
}
