// A network of layers that ends in one or several heads: the logits of each, and the layers after them.
import type { LayerGraph, LayerSpec, TensorRef } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { HeadPart } from '../../model/model.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { appendLayer, freshName, graphUpTo, layerOf } from '../graphs/layerGraph.ts';

/** The logits of each head. With several heads these are the inputs of the last layer. */
export function logitsOf({ calls, outputs }: LayerGraph, heads: number): readonly TensorRef[] {
  const [joined] = outputs;
  return heads === 1 || joined === undefined ? outputs : (calls[joined.call]?.inputs ?? []);
}

/** The part of a graph before some logits, concatenated in order as its only output. */
export function joinLogits(graph: LayerGraph, logits: readonly TensorRef[]): LayerGraph {
  const [only] = logits;
  if (logits.length === 1 && only !== undefined) return graphUpTo(graph, only.call);
  const name = freshName('head_logits', (candidate) => graph.layers.has(candidate));
  const join: LayerSpec = { name, className: 'Concatenate', config: { name, axis: -1 }, path: [name] };
  return graphUpTo(appendLayer(graph, join, logits), graph.calls.length);
}

/**
 * A graph that ends in logits, with the activations after them that turn them into probabilities: one output for each
 * part, with its name. The output of a part without a name is `probabilities`; a regression has no activation.
 */
export function withAnswers(graph: LayerGraph, parts: readonly HeadPart[]): LayerGraph {
  const logits = logitsOf(graph, parts.length);
  const outputs: TensorRef[] = [];
  let grown = parts.length === 1 ? graph : withoutLast(graph);
  for (const [place, { name, task }] of parts.entries()) {
    const own = logits[place];
    if (own === undefined) throw internalError(`no logits of head ${name}`);
    const { layer } = tasks[task].activation;
    if (name === '' && layer === 'linear') return graph;
    grown = appendLayer(grown, activation(name, layer, grown), [own]);
    outputs.push(...grown.outputs);
  }
  return { ...grown, outputs };
}

function activation(head: string, kind: string, { layers }: LayerGraph): LayerSpec {
  const name = head === '' ? freshName('probabilities', (candidate) => layers.has(candidate)) : head;
  return { name, className: 'Activation', config: { name, trainable: true, activation: kind }, path: [name] };
}

/** A graph without its last call, which is the only call of its layer. */
function withoutLast(graph: LayerGraph): LayerGraph {
  const last = layerOf(graph, graph.calls.length - 1).name;
  return {
    ...graph,
    layers: new Map([...graph.layers].filter(([name]) => name !== last)),
    calls: graph.calls.slice(0, -1),
  };
}
