// What both ways of writing a model as a GraphModel share.
import type { JsonObject } from '../core/json.ts';
import type { Task } from '../core/model.ts';
import { freshName } from '../trunk/layerGraph.ts';
import type { NodeDraft } from '../trunk/nodeDraft.ts';
import { attribute, nodesByName, type NodeGraph } from '../trunk/nodeGraph.ts';

/** Adds what turns logits into probabilities, and returns its node; undefined where the numbers are the answer. */
export function addProbabilities({ nodes, names }: NodeDraft, logits: string, task: Task): string | undefined {
  if (task === 'regression') return undefined;
  const name = freshName('probabilities', (candidate) => names.has(candidate));
  const op = task === 'classes' ? 'Softmax' : 'Sigmoid';
  names.add(name);
  nodes.push({ name, op, inputs: [logits], attr: { T: { type: 'DT_FLOAT' } } });
  return name;
}

/** What a GraphModel says of its input and outputs, the latter by the names that callers see. */
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
