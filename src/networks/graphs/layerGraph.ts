// The graph of a LayersModel as plain data: calls of layers with their input tensors, in an order in which they can
// run. The pure functions of this file cut, join and measure it, without tensors and tfjs layers.
import type { LayerGraph, LayerSpec, TensorRef } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';

/** The spec of the layer that a call runs. */
export function layerOf(graph: LayerGraph, call: number): LayerSpec {
  const name = graph.calls[call]?.layer;
  const layer = name === undefined ? undefined : graph.layers.get(name);
  if (layer === undefined) throw internalError(`no call ${String(call)} in ${graph.name}`);
  return layer;
}

/** The last call of a layer, or -1. */
export function lastCallOf(graph: LayerGraph, layer: string): number {
  return graph.calls.findLastIndex((call) => call.layer === layer);
}

/** The graph with only the calls that pass `keep`. These must include all calls that they read from. */
function restrict(graph: LayerGraph, keep: (call: number) => boolean, outputs: readonly TensorRef[]): LayerGraph {
  const kept = graph.calls.map((_, index) => index).filter(keep);
  const renumbered = new Map(kept.map((old, index) => [old, index]));
  const move = (ref: TensorRef): TensorRef => ({ ...ref, call: renumbered.get(ref.call) ?? -1 });
  const calls = kept.flatMap((index) => graph.calls[index] ?? []);
  const used = new Set(calls.map((call) => call.layer));
  return {
    name: graph.name,
    layers: new Map([...graph.layers].filter(([name]) => used.has(name))),
    calls: calls.map((call) => ({ ...call, inputs: call.inputs.map(move) })),
    outputs: outputs.map(move),
  };
}

/** All calls that a call needs, including itself. */
function ancestors(graph: LayerGraph, call: number): Set<number> {
  const found = new Set<number>();
  const open = [call];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(graph.calls[next]?.inputs ?? []).map((ref) => ref.call));
  }
  return found;
}

/** The part of the graph before the first output of a call, which becomes its only output. */
export function graphUpTo(graph: LayerGraph, call: number): LayerGraph {
  const needed = ancestors(graph, call);
  return restrict(graph, (index) => needed.has(index), [{ call, output: 0 }]);
}

/** The part of the graph after the output of a call, which is replaced by a new InputLayer of the given shape. */
export function graphAfter(graph: LayerGraph, call: number, inputShape: readonly (number | null)[]): LayerGraph {
  const before = ancestors(graph, call);
  const input = inputLayer(`${graph.calls[call]?.layer ?? ''}_features`, inputShape);
  const calls = graph.calls.map((each, index) =>
    index === call ? { layer: input.name, inputs: [], kwargs: {} } : each,
  );
  const layers = new Map(graph.layers).set(input.name, input);
  return restrict({ ...graph, layers, calls }, (index) => index === call || !before.has(index), graph.outputs);
}

/** `graph` followed by `tail`, which reads its only output. Layer names must not collide. */
export function joinGraphs(graph: LayerGraph, tail: LayerGraph): LayerGraph {
  const offset = graph.calls.length - 1;
  const [joint] = graph.outputs;
  if (joint === undefined) throw internalError(`${graph.name} has no output`);
  const move = (ref: TensorRef): TensorRef => (ref.call === 0 ? joint : { ...ref, call: ref.call + offset });
  const tailInput = tail.calls[0]?.layer;
  return {
    name: graph.name,
    layers: new Map([...graph.layers, ...[...tail.layers].filter(([name]) => name !== tailInput)]),
    calls: [...graph.calls, ...tail.calls.slice(1).map((call) => ({ ...call, inputs: call.inputs.map(move) }))],
    outputs: tail.outputs.map(move),
  };
}

/** `graph` with another layer without options, which reads outputs of some calls. Its output becomes the only one. */
export function appendLayer(graph: LayerGraph, layer: LayerSpec, inputs = graph.outputs): LayerGraph {
  return {
    ...graph,
    layers: new Map(graph.layers).set(layer.name, layer),
    calls: [...graph.calls, { layer: layer.name, inputs, kwargs: {} }],
    outputs: [{ call: graph.calls.length, output: 0 }],
  };
}

/** `graph` with the prefix `head_` for every layer name that is in use elsewhere. */
export function avoidNames(graph: LayerGraph, taken: ReadonlySet<string>): LayerGraph {
  const given = new Set(taken);
  const names = new Map<string, string>();
  for (const name of graph.layers.keys()) {
    const fresh = freshName(
      name,
      (candidate) => given.has(candidate) || (candidate !== name && graph.layers.has(candidate)),
    );
    given.add(fresh);
    names.set(name, fresh);
  }
  const rename = (name: string) => names.get(name) ?? name;
  const layers = [...graph.layers.values()].map((layer) => ({ ...layer, name: rename(layer.name) }));
  return {
    ...graph,
    layers: new Map(layers.map((layer) => [layer.name, layer])),
    calls: graph.calls.map((call) => ({ ...call, layer: rename(call.layer) })),
  };
}

/** A free name, made by adding the prefix `head_` as often as needed. */
export function freshName(name: string, isTaken: (candidate: string) => boolean): string {
  return isTaken(name) ? freshName(`head_${name}`, isTaken) : name;
}

/** An InputLayer. `shape` is without the batch axis. */
export function inputLayer(name: string, shape: readonly (number | null)[], dtype = 'float32'): LayerSpec {
  const config = { name, batch_input_shape: [null, ...shape], dtype, sparse: false };
  return { name, className: 'InputLayer', config, path: [name] };
}

/** Shape of the input, without the batch axis. */
export function inputShapeOf(graph: LayerGraph): (number | null)[] {
  const shape = layerOf(graph, 0).config.batch_input_shape;
  return Array.isArray(shape) ? shape.slice(1).map((axis) => (typeof axis === 'number' ? axis : null)) : [];
}

/** `graph` with another input shape (without the batch axis). */
export function withInputShape(graph: LayerGraph, shape: readonly (number | null)[]): LayerGraph {
  const input = layerOf(graph, 0);
  const config = { ...input.config, batch_input_shape: [null, ...shape] };
  return { ...graph, layers: new Map(graph.layers).set(input.name, { ...input, config }) };
}
