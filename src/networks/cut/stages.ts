// Where a network can be cut: finds the tensors that everything passes through and groups the layers between them.
import type { LayerGraph, TensorRef } from '../../core/graphs.ts';
import { sizeOf } from '../../core/shapes.ts';
import type { Shape } from '../../core/types.ts';
import { layerOf } from '../read/layerGraph.ts';

/** Which call reads which tensors: all that cutting needs to know of a graph. */
export interface Wiring {
  readonly calls: readonly { readonly inputs: readonly TensorRef[] }[];
  readonly outputs: readonly TensorRef[];
}

/** Calls `first` … `last` of a graph; `last`'s output is all that the calls behind read. */
export interface CallRange {
  readonly first: number;
  readonly last: number;
}

/** What the partition needs to know of each call. */
export interface CallFacts {
  /** Whether the layer holds weights and is no normalisation: a new stage begins before it. */
  readonly startsStage: boolean;
  readonly stochastic: boolean;
  readonly outputShape: Shape;
}

/**
 * Splits the calls behind the input into stages.
 *
 * A stage boundary is an output that separates the graph. Between two layers with kernels there are often several
 * (behind the convolution, its BatchNorm, its activation, a pooling): the smallest tensor is taken, the last of equals,
 * because it is the one to be cached. A dropout layer always begins a stage, so that what is in front of it stays
 * cacheable.
 */
export function partition(graph: Wiring, facts: readonly CallFacts[]): CallRange[] {
  const last = graph.calls.length - 1;
  const chosen: number[] = [];
  let group: number[] = [];
  const close = () => {
    const best = group.reduce<number | undefined>(
      (a, b) => (a === undefined || size(facts, b) <= size(facts, a) ? b : a),
      undefined,
    );
    if (best !== undefined && best > 0 && best < last) chosen.push(best);
    group = [];
  };
  const separators = new Set(separatingCalls(graph));
  let opensRandom = false;
  for (let call = 0; call <= last; call++) {
    const { startsStage = false, stochastic = false } = facts[call] ?? {};
    // Dropout belongs to the layer that reads it: nothing is cut between the two.
    if (startsStage && opensRandom) group = [];
    else if (startsStage || stochastic) close();
    opensRandom = stochastic || (opensRandom && !startsStage);
    if (separators.has(call)) group.push(call);
  }
  const ends = [...chosen, last].filter((end) => end > 0);
  return ends.map((end, index) => ({ first: (ends[index - 1] ?? 0) + 1, last: end }));
}

/** Calls whose single output is the only tensor alive when they are done. */
export function separatingCalls(graph: Wiring): number[] {
  const lastUse = new Map<string, number>();
  const key = (call: number, output: number) => `${String(call)}:${String(output)}`;
  graph.calls.forEach((call, index) => {
    for (const ref of call.inputs) lastUse.set(key(ref.call, ref.output), index);
  });
  for (const ref of graph.outputs) lastUse.set(key(ref.call, ref.output), graph.calls.length);
  // How many tensors made before or at each call are read after it: from the changes at each.
  const changes = new Array<number>(graph.calls.length + 1).fill(0);
  for (const [name, use] of lastUse) {
    const made = Number(name.split(':')[0]);
    if (made >= use) continue;
    changes[made] = (changes[made] ?? 0) + 1;
    changes[use] = (changes[use] ?? 0) - 1;
  }
  let count = 0;
  const alive = changes.map((change) => (count += change));
  return graph.calls.map((_, index) => index).filter((i) => alive[i] === 1 && (lastUse.get(key(i, 0)) ?? -1) > i);
}

function size(facts: readonly CallFacts[], call: number): number {
  return sizeOf(facts[call]?.outputShape ?? []);
}

/** Name of the layer that a range ends with. */
export function rangeName(graph: LayerGraph, range: CallRange): string {
  return layerOf(graph, range.last).name;
}
