// Sorts the layers and calls of a LayerGraph in Keras's order of a functional model: from the deepest layer to the
// output, and for equal depth in the order of a traversal from the output. Weight files are written in that order.
import type { LayerCall, LayerGraph, TensorRef } from '../../core/graphs.ts';
import { layerOf } from './layerGraph.ts';

/** The order in which a traversal from the outputs visits the calls and layers of a graph. */
interface Walk {
  /** Calls, each after those that it reads from. */
  readonly finished: readonly number[];
  /** Number of layers visited before each layer. */
  readonly met: ReadonlyMap<string, number>;
}

/** Number of layers between a call or layer and the output, on the longest path. */
interface Depths {
  readonly calls: ReadonlyMap<number, number>;
  readonly layers: ReadonlyMap<string, number>;
}

/**
 * The same network in Keras's order (`keras/src/ops/function.py`, `map_graph`). Calls that no output needs are left
 * out.
 *
 * The network can run in that order: a call is deeper than every call that reads it.
 */
export function orderAsKeras(graph: LayerGraph): LayerGraph {
  const walk = walkBack(graph);
  const depths = measureDepths(graph, walk.finished);
  const rank = (layer: string) => walk.met.get(layer) ?? 0;
  const layers = [...walk.met.keys()].sort(
    (a, b) => (depths.layers.get(b) ?? 0) - (depths.layers.get(a) ?? 0) || rank(a) - rank(b),
  );
  const calls = [...walk.finished].sort(
    (a, b) =>
      (depths.calls.get(b) ?? 0) - (depths.calls.get(a) ?? 0) ||
      rank(layerOf(graph, a).name) - rank(layerOf(graph, b).name) ||
      a - b,
  );
  return reorder(graph, layers, calls);
}

function walkBack(graph: LayerGraph): Walk {
  const met = new Map<string, number>();
  const done = new Set<number>();
  const finished: number[] = [];
  const visit = (index: number): void => {
    if (done.has(index)) return;
    done.add(index);
    const { name } = layerOf(graph, index);
    if (!met.has(name)) met.set(name, met.size);
    for (const ref of graph.calls[index]?.inputs ?? []) visit(ref.call);
    finished.push(index);
  };
  for (const ref of graph.outputs) visit(ref.call);
  return { finished, met };
}

function measureDepths(graph: LayerGraph, finished: readonly number[]): Depths {
  const calls = new Map<number, number>();
  const layers = new Map<string, number>();
  for (const index of [...finished].reverse()) {
    const { name } = layerOf(graph, index);
    const depth = Math.max(calls.get(index) ?? 0, layers.get(name) ?? 0);
    calls.set(index, depth);
    layers.set(name, depth);
    for (const ref of graph.calls[index]?.inputs ?? []) {
      calls.set(ref.call, Math.max(depth + 1, calls.get(ref.call) ?? 0));
    }
  }
  return { calls, layers };
}

function reorder(graph: LayerGraph, layers: readonly string[], calls: readonly number[]): LayerGraph {
  const renumbered = new Map(calls.map((old, index) => [old, index]));
  const move = (ref: TensorRef): TensorRef => ({ ...ref, call: renumbered.get(ref.call) ?? -1 });
  const moved = calls.flatMap((index): LayerCall[] => {
    const call = graph.calls[index];
    return call === undefined ? [] : [{ ...call, inputs: call.inputs.map(move) }];
  });
  const specs = layers.flatMap((name) => {
    const layer = graph.layers.get(name);
    return layer === undefined ? [] : [[name, layer] as const];
  });
  return { ...graph, layers: new Map(specs), calls: moved, outputs: graph.outputs.map(move) };
}
