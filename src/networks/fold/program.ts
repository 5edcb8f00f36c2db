// Runs a finished graph of nodes with its own constants.
import { keep, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import type { TensorSpec } from '../../core/types.ts';
import { keepConstants } from '../../engines/kernels/constants.ts';
import { describeProgram } from './describeProgram.ts';
import { emptyModel, runNodes } from '../run/runNodes.ts';

/** A part of a network for inference, with the weights that it had when the program was made. */
export interface Program {
  /** The caller owns the result. */
  run(input: Tensor): Tensor;
  /** Frees the constants. A second call does nothing. */
  dispose(): void;
  /** Lists the steps with shapes and costs, for debugging. */
  toString(): string;
}

/**
 * Makes a program of a graph with one output. It runs a batch as a whole: smaller portions would fit into the
 * processor's cache, but starting kernels more often costs more than that gains.
 *
 * @param constants - Owned by the program from now on.
 * @param input - Shape and type of the program's input.
 */
export function makeProgram(graph: NodeGraph, constants: ReadonlyMap<string, Tensor>, input: TensorSpec): Program {
  const [output = graph.input] = graph.outputs;
  const model = emptyModel(graph);
  // Detached from the open scope of the engine, which would otherwise free them.
  for (const [name, value] of constants) model.weights[name] = [keep(value)];
  const release = keepConstants(constants.values());
  let disposed = false;
  return {
    run(x) {
      if (!disposed) return runNodes(model, { entry: graph.input, input: x, exit: output });
      const text = `expected a usable part of '${graph.name}', got one after its dispose(). Fold it again.`;
      throw new TransferKitError('DISPOSED', text, { name: graph.name });
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      release();
      model.dispose();
    },
    toString() {
      return disposed ? `${graph.name}: disposed` : describeProgram({ graph, model, constants, input });
    },
  };
}
