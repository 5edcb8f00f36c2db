// Writes base, head and probabilities as one GraphModel with fused layers: the result of `toGraphModel`. It cannot be
// trained.
import { dispose } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import type { LayersTrunk } from '../../core/types.ts';
import type { AnyModel } from '../../model/model.ts';
import { foldNodes, type FoldedNodes } from './foldNodes.ts';
import { emptyDraft, finishDraft, type NodeDraft } from '../graphs/nodeDraft.ts';
import { writeCalls, writeInput } from '../write/writeCalls.ts';
import { hasLayers, nodesOfBase, type BaseNodes } from '../write/baseNodes.ts';
import { addAnswer, writeLogits } from '../write/graphParts.ts';

/** What the outputs of a graph are: what `predict` gives, or what the losses take. */
export type GraphEnd = 'answers' | 'logits';

/**
 * Writes a model as fused nodes. Each head has one output: its probabilities, or the numbers of a regression.
 *
 * @param end - `'logits'` leaves out the activations after them.
 * @returns The graph and its constants, which the caller owns.
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that cannot be written as nodes, `UNSUPPORTED_TRUNK` for
 * a base that cannot be written.
 */
export function foldModel({ base, head }: AnyModel, end: GraphEnd = 'answers'): FoldedNodes {
  const plan = { ...head, end };
  return hasLayers(base.trunk) ? foldOnLayers(base.trunk, plan) : foldOnNodes(nodesOfBase(base), plan);
}

interface HeadPlan extends Pick<AnyModel['head'], 'trunk' | 'parts'> {
  readonly end: GraphEnd;
}

function foldOnLayers(trunk: LayersTrunk, head: HeadPlan): FoldedNodes {
  const { graph, boundaries } = trunk.layers;
  const draft = emptyDraft();
  const { placeholder, floats } = writeInput(trunk, 0, draft);
  const base = writeCalls({ trunk, entry: 0, exit: boundaries.at(-1) ?? 0, input: floats, fold: true }, draft);
  const outputs = writeHead(head, base.output, draft, base.unsupported);
  const { nodes, constants } = finishDraft(draft);
  return { graph: { name: graph.name, nodes, input: placeholder, outputs, rest: {} }, constants };
}

function foldOnNodes({ graph, features, constants }: BaseNodes, head: HeadPlan): FoldedNodes {
  const made = [...constants.values()];
  try {
    const draft = emptyDraft(graph.nodes.map(({ name }) => name));
    const outputs = writeHead(head, features, draft, []);
    const own = finishDraft(draft);
    made.push(...own.constants.values());
    const whole = { ...graph, nodes: [...graph.nodes, ...own.nodes], outputs };
    return foldNodes(whole, new Map([...constants, ...own.constants]));
  } finally {
    dispose(made);
  }
}

/** Writes a head and, for answers, the nodes that turn its logits into them; returns the nodes of the outputs. */
function writeHead(
  { trunk, parts, end }: HeadPlan,
  features: string,
  draft: NodeDraft,
  unsupported: readonly LayerSpec[],
): string[] {
  const written = writeLogits(trunk, parts, { features, fold: true }, draft);
  assertAll([...unsupported, ...written.unsupported]);
  return parts.map((part, place) => {
    const logits = written.logits[place] ?? features;
    return (end === 'answers' ? addAnswer(draft, logits, part) : undefined) ?? logits;
  });
}

function assertAll(unsupported: readonly LayerSpec[]): void {
  if (unsupported.length === 0) return;
  const names = unsupported.map(({ name, className }) => `'${name}' (${className})`);
  const text =
    `expected layers that have a form in a GraphModel, got ${names.slice(0, 10).join(', ')}` +
    `${names.length > 10 ? ` and ${String(names.length - 10)} more` : ''}. Use predict, or save the model as it is.`;
  throw new TransferKitError('UNSUPPORTED_LAYER', text, { layers: unsupported.map(({ name }) => name) });
}
