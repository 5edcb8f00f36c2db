// Checks constants of a GraphModel that determine output sizes: a few bytes of a file could request all memory.
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { nodeOf } from '../graphs/nodeGraph.ts';
import { assertSize } from '../graphs/limits.ts';
import type { Graph } from './runNodes.ts';

/** Inputs of operations that determine lengths of axes: the lengths themselves, factors, or paddings at both ends. */
const sizes: Readonly<Record<string, number>> = {
  BroadcastTo: 1,
  Conv2DBackpropInput: 0,
  Fill: 0,
  MirrorPad: 1,
  OneHot: 1,
  Pad: 1,
  PadV2: 1,
  Range: 1,
  ResizeBilinear: 1,
  ResizeNearestNeighbor: 1,
  ScatterNd: 2,
  SparseToDense: 1,
  Tile: 1,
};

/**
 * Raises if a constant requests a tensor above the limits.
 *
 * @throws TransferKitError `OUT_OF_RANGE`, `NOT_A_MODEL`.
 */
export function assertSmallConstants(graph: NodeGraph, model: Graph): void {
  for (const node of graph.nodes) {
    const at = sizes[node.op];
    const tensor = at === undefined ? undefined : model.weights[nodeOf(node.inputs[at] ?? '')]?.[0];
    // Lists of lengths are short. -1 is a length that follows from the others.
    if (tensor === undefined || tensor.size > 16 || tensor.dtype === 'string') continue;
    const values = [...tensor.dataSync()].map((value) => Math.abs(value));
    assertSize(`node '${node.name}' (${node.op})`, lengths(node, values));
  }
}

function lengths({ op }: NodeSpec, values: readonly number[]): number[] {
  if (!op.includes('Pad')) return values.map((value) => Math.max(1, Math.ceil(value)));
  return values.flatMap((value, i) => (i % 2 === 0 ? Math.max(1, value + (values[i + 1] ?? 0)) : []));
}
