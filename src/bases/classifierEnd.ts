// Splits a network of layers that ends in its own classifier into base and head.
import type { LayerGraph, LayerSpec } from '../core/graphs.ts';
import { TransferKitError } from '../core/errors.ts';
import { sigmoid, softmax } from '../model/tasks/activations.ts';
import type { ActivationEnd } from '../model/tasks/task.ts';
import { findCut } from '../networks/cut/findCut.ts';
import { inferShapes } from '../networks/graphs/inferShapes.ts';
import { graphUpTo, layerOf } from '../networks/graphs/layerGraph.ts';
import { separatingCalls } from '../networks/cut/stages.ts';

/** A network that ends in a classifier. */
export interface ClassifierEnd {
  /** The network up to its logits, which are its only output. */
  readonly graph: LayerGraph;
  /** The layer that gives the classifier its features. */
  readonly cut: string;
  /** The last activation. Undefined for a network that ends without one. */
  readonly end: ActivationEnd | undefined;
}

/** Layers that may follow the last activation, because they only change the shape. */
const shaping = new Set(['Reshape', 'Flatten', 'Dropout']);

/**
 * Finds the classifier and removes the softmax or sigmoid from its end.
 *
 * @param keepsActivation - True for a regression, whose values are the output of the last activation.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` for several outputs, and for a network without a classifier at its end.
 */
export function classifierEnd(graph: LayerGraph, keepsActivation: boolean): ClassifierEnd {
  const [output] = graph.outputs;
  if (output === undefined || graph.outputs.length > 1) {
    throw unsupported(graph, `${String(graph.outputs.length)} outputs, expected one`);
  }
  const cut = layerOf(graph, separatingCut(graph)).name;
  if (keepsActivation) return { graph, cut, end: undefined };
  const last = lastActivation(graph, output.call);
  const end = last === undefined ? undefined : activationEnd(graph, last);
  return { graph: end === undefined || last === undefined ? graph : withoutActivation(graph, last), cut, end };
}

/** The default cut, or the last separating call before it. */
function separatingCut(graph: LayerGraph): number {
  const output = graph.outputs[0]?.call ?? 0;
  const wanted = findCut(graph);
  const cut = separatingCalls(graph).findLast((call) => call > 0 && call <= wanted && call < output);
  if (cut === undefined || wanted === output) throw unsupported(graph, 'no classifier at its end');
  return cut;
}

/** The call of the last layer with an activation, if only reshaping layers follow it. */
function lastActivation(graph: LayerGraph, output: number): number | undefined {
  const call = graph.calls[output];
  const layer = layerOf(graph, output);
  if (activationOf(layer) !== undefined) return output;
  const before = call?.inputs[0]?.call;
  return shaping.has(layer.className) && before !== undefined && before > 0 ? lastActivation(graph, before) : undefined;
}

function activationOf({ className, config }: LayerSpec): string | undefined {
  if (className === 'Softmax') return 'softmax';
  return typeof config.activation === 'string' ? config.activation : undefined;
}

function activationEnd(graph: LayerGraph, call: number): ClassifierEnd['end'] {
  const layer = layerOf(graph, call);
  const activation = activationOf(layer);
  const rank = inferShapes(graph)[call]?.length;
  const isLastAxis = [undefined, null, -1, rank].includes(axisOf(layer));
  const units = unitsBefore(graph, call);
  if (activation === 'softmax' && isLastAxis) return { activation: softmax, units };
  if (activation === 'sigmoid') return { activation: sigmoid, units };
  if (activation === 'linear') return undefined;
  throw unsupported(graph, `the activation '${String(activation)}' at its end, expected softmax, sigmoid or none`);
}

/** The axis is counted with the batch axis. The default of tfjs's Softmax is axis 1. */
function axisOf({ config: { axis } }: LayerSpec): number | null | undefined {
  return typeof axis === 'number' || axis === null ? axis : undefined;
}

/** Units of the last layer before a call that has units. */
function unitsBefore(graph: LayerGraph, call: number): number | undefined {
  const { config } = layerOf(graph, call);
  const units = config.units ?? config.filters;
  if (typeof units === 'number') return units;
  const before = graph.calls[call]?.inputs[0]?.call;
  return before === undefined ? undefined : unitsBefore(graph, before);
}

/**
 * The network without one activation. An activation layer is removed; the activation of another layer becomes linear.
 */
function withoutActivation(graph: LayerGraph, call: number): LayerGraph {
  const layer = layerOf(graph, call);
  const input = graph.calls[call]?.inputs[0];
  const isOwnLayer = layer.className === 'Activation' || layer.className === 'Softmax';
  if (!isOwnLayer || input === undefined) {
    const linear = { ...layer, config: { ...layer.config, activation: 'linear' } };
    return { ...graph, layers: new Map(graph.layers).set(layer.name, linear) };
  }
  const rewired = graph.calls.map((each) => ({
    ...each,
    inputs: each.inputs.map((ref) => (ref.call === call ? input : ref)),
  }));
  const output = graph.outputs[0]?.call ?? call;
  return graphUpTo({ ...graph, calls: rewired }, output === call ? input.call : output);
}

function unsupported({ name }: LayerGraph, found: string): TransferKitError {
  const text =
    `expected a network that ends in a classifier, got '${name}' with ${found}. Use loadBase and replaceHead to give it a ` +
    'new head.';
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { name, found });
}
