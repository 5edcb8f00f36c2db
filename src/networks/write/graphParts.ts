// Shared parts of the two ways of writing a model as a GraphModel.
import type { LayerSpec, NodeGraph } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';
import type { HeadPart } from '../../model/model.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { freshName } from '../graphs/layerGraph.ts';
import type { LayersTrunk } from '../../core/types.ts';
import type { NodeDraft } from '../graphs/nodeDraft.ts';
import { attribute, nodesByName } from '../graphs/nodeGraph.ts';
import { writeCalls } from './writeCalls.ts';
import { logitsOf } from './headGraph.ts';

/** The nodes of the logits of each part. */
export interface WrittenLogits {
  readonly logits: readonly string[];
  /** Layers that cannot be written as nodes. */
  readonly unsupported: readonly LayerSpec[];
}

/**
 * Writes the layers of a head up to the logits of each part.
 *
 * @param features - The node of the head's input.
 * @param fold - As in `WritePlan`.
 */
export function writeLogits(
  trunk: LayersTrunk,
  parts: readonly HeadPart[],
  { features, fold }: { readonly features: string; readonly fold: boolean },
  draft: NodeDraft,
): WrittenLogits {
  const { graph } = trunk.layers;
  const last = graph.calls.length - 1;
  // The layer that concatenates the logits of several parts is left out.
  const exit = parts.length === 1 ? (graph.outputs[0]?.call ?? last) : last - 1;
  const { nodes, unsupported } = writeCalls({ trunk, entry: 0, exit, input: features, fold }, draft);
  return { logits: logitsOf(graph, parts.length).map(({ call }) => nodes.get(call) ?? features), unsupported };
}

/**
 * Adds the nodes that turn logits into probabilities, named after the head if it has a name, and returns the last one.
 * Returns undefined if the logits are the answer and have no name.
 */
export function addAnswer({ nodes, names }: NodeDraft, logits: string, { name, task }: HeadPart): string | undefined {
  const { layer, op } = tasks[task].activation;
  if (name === '' && layer === 'linear') return undefined;
  const own = name === '' ? freshName('probabilities', (candidate) => names.has(candidate)) : name;
  names.add(own);
  nodes.push({ name: own, op, inputs: [logits], attr: { T: { type: 'DT_FLOAT' } } });
  return own;
}

/** The input and outputs of a GraphModel, by the names that callers see. */
export function signatureOf(graph: NodeGraph, outputs: Readonly<Record<string, string>>): JsonObject {
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

/** Names of the outputs of a model with several heads: with them tfjs gives a record in place of a list. */
export function outputKeys(parts: readonly HeadPart[]): { readonly structuredOutputKeys?: string[] } {
  return parts[0]?.name === '' ? {} : { structuredOutputKeys: parts.map(({ name }) => name) };
}
