// Finds the possible cuts of a network, which are tensors that all values pass through, and groups the layers between
// them.
import type { LayerGraph, TensorRef } from '../../core/graphs.ts';
import { sizeOf } from '../../core/shapes.ts';
import type { Shape } from '../../core/types.ts';
import { layerOf } from '../graphs/layerGraph.ts';

/** The tensors that each call reads. Cutting needs nothing else of a graph. */
export interface Wiring {
  readonly calls: readonly { readonly inputs: readonly TensorRef[] }[];
  readonly outputs: readonly TensorRef[];
}

/** Calls `first` … `last` of a graph. Later calls read only the output of `last`. */
export interface CallRange {
  readonly first: number;
  readonly last: number;
}

/** Facts about each call that the partition needs. */
export interface CallFacts {
  /** Whether the layer has weights and is no normalisation. Such a layer starts a new stage. */
  readonly startsStage: boolean;
  readonly stochastic: boolean;
  readonly outputShape: Shape;
  /** Whether the first axis of the output holds parts of examples: nothing can be cut or cached there. Default false. */
  readonly splitsExamples?: boolean;
}

/**
 * Splits the calls after the input into stages.
 *
 * A stage boundary is an output that separates the graph. Between two layers with kernels there are often several
 * (after the convolution, its BatchNorm, its activation, a pooling). The smallest tensor is chosen, because it is the
 * one that is cached; of equal ones the last. A dropout layer always begins a stage, so that the stages before it can
 * be cached.
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
  const separators = new Set(separatingCalls(graph).filter((call) => facts[call]?.splitsExamples !== true));
  let opensRandom = false;
  for (let call = 0; call <= last; call++) {
    const { startsStage = false, stochastic = false } = facts[call] ?? {};
    // Dropout belongs to the layer that reads it. There is no cut between the two.
    if (startsStage && opensRandom) group = [];
    else if (startsStage || stochastic) close();
    opensRandom = stochastic || (opensRandom && !startsStage);
    if (separators.has(call)) group.push(call);
  }
  const ends = [...chosen, last].filter((end) => end > 0);
  return ends.map((end, index) => ({ first: (ends[index - 1] ?? 0) + 1, last: end }));
}

/** Calls after which their single output is the only tensor that is still needed. */
export function separatingCalls(graph: Wiring): number[] {
  const lastUse = new Map<string, number>();
  const key = (call: number, output: number) => `${String(call)}:${String(output)}`;
  graph.calls.forEach((call, index) => {
    for (const ref of call.inputs) lastUse.set(key(ref.call, ref.output), index);
  });
  for (const ref of graph.outputs) lastUse.set(key(ref.call, ref.output), graph.calls.length);
  // Number of tensors made up to each call that are read after it, as a running sum of changes.
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

/** Name of the last layer of a range. */
export function rangeName(graph: LayerGraph, range: CallRange): string {
  return layerOf(graph, range.last).name;
}
