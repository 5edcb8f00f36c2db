// Runs a part of a GraphModel by tfjs's own executor.
import { loadGraphModelSync, type GraphModel } from '@tensorflow/tfjs-converter';
import { clone, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import { writeNodes } from '../graphs/nodeGraph.ts';

/** A GraphModel that was made in memory from nodes. */
export type Graph = GraphModel<{ load: () => object }>;

/** tfjs's executor for nodes, without constants. They are added to `weights`, which the executor itself uses. */
export function emptyModel(graph: NodeGraph): Graph {
  const modelTopology = writeNodes(graph);
  return loadGraphModelSync({ load: () => ({ modelTopology, weightSpecs: [], weightData: new ArrayBuffer(0) }) });
}

/** The part to run: the nodes between the outputs of two nodes. */
export interface NodeRun {
  readonly entry: string;
  /** Output of the entry. */
  readonly input: Tensor;
  readonly exit: string;
}

/** Runs a part of a graph. The caller owns the result. */
export function runNodes(model: Graph, { entry, input, exit }: NodeRun): Tensor {
  return tidy(() => {
    if (entry === exit) return clone(input);
    const output = model.execute({ [entry]: input }, exit);
    if (Array.isArray(output)) throw internalError(`${exit} gave ${String(output.length)} tensors`);
    return output.id === input.id ? clone(output) : output;
  });
}
