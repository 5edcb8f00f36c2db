// Base, head and probabilities as one GraphModel whose layers are fused: what `toGraphModel` gives. Nothing of it trains.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import type { AnyModel, Base } from '../../model/model.ts';
import { foldNodes, type FoldedNodes } from './foldNodes.ts';
import { isGraphTrunk, type GraphTrunk } from '../run/graphTrunk.ts';
import type { LayerSpec } from '../read/layerGraph.ts';
import { layersTrunkOf, type LayersTrunk } from '../run/layersTrunk.ts';
import { emptyDraft, finishDraft, type NodeDraft } from './nodeDraft.ts';
import { writeCalls, writeInput } from '../write/writeCalls.ts';
import { addAnswer, writeLogits } from '../write/graphParts.ts';

/**
 * Writes a model as fused nodes. Each head has one output, which gives probabilities, or the numbers of a regression.
 *
 * @returns The graph, and its constants, which are the caller's.
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that have no form as nodes.
 */
export function foldModel({ base, head }: AnyModel): FoldedNodes {
  return isGraphTrunk(base.trunk) ? foldOnGraph(base.trunk, base.cut, head) : foldOnLayers(base.trunk, head);
}

type AnyHead = AnyModel['head'];

function foldOnLayers(trunk: Base['trunk'], head: AnyHead): FoldedNodes {
  const layers = layersTrunkOf(trunk);
  const draft = emptyDraft();
  const { placeholder, floats } = writeInput(layers, 0, draft);
  const base = writeCalls({ trunk: layers, entry: 0, exit: exitOf(layers), input: floats, fold: true }, draft);
  const outputs = writeHead(head, base.output, draft, base.unsupported);
  const { nodes, constants } = finishDraft(draft);
  return { graph: { name: layers.graph.name, nodes, input: placeholder, outputs, rest: {} }, constants };
}

function foldOnGraph(trunk: GraphTrunk, cut: string, head: AnyHead): FoldedNodes {
  const draft = emptyDraft(trunk.nodes.nodes.map(({ name }) => name));
  const outputs = writeHead(head, cut, draft, []);
  const own = finishDraft(draft);
  try {
    const graph = { ...trunk.nodes, nodes: [...trunk.nodes.nodes, ...own.nodes], outputs };
    return foldNodes(graph, new Map<string, Tensor>([...trunk.constants, ...own.constants]));
  } finally {
    dispose([...own.constants.values()]);
  }
}

/** Writes a head and what turns its logits into probabilities; returns the nodes of the outputs. */
function writeHead(
  { trunk, parts }: AnyHead,
  features: string,
  draft: NodeDraft,
  unsupported: readonly LayerSpec[],
): string[] {
  const written = writeLogits(layersTrunkOf(trunk), parts, { features, fold: true }, draft);
  assertAll([...unsupported, ...written.unsupported]);
  return parts.map((part, place) => {
    const logits = written.logits[place] ?? features;
    return addAnswer(draft, logits, part) ?? logits;
  });
}

function exitOf({ boundaries }: LayersTrunk): number {
  return boundaries.at(-1) ?? 0;
}

function assertAll(unsupported: readonly LayerSpec[]): void {
  if (unsupported.length === 0) return;
  const names = unsupported.map(({ name, className }) => `'${name}' (${className})`);
  const text =
    `toGraphModel: expected layers that have a form in a GraphModel, got ${names.slice(0, 10).join(', ')}` +
    `${names.length > 10 ? ` and ${String(names.length - 10)} more` : ''}. Use predict, or save the model as it is.`;
  throw new TransferKitError('UNSUPPORTED_LAYER', text, { layers: unsupported.map(({ name }) => name) });
}
