// The engine of this package: tfjs's executor on the kernels of the backend.
import { keep, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { keepConstants } from '../../engines/kernels/constants.ts';
import { describeProgram } from './describeProgram.ts';
import { hasOwnOperations, registerOwnOperations } from '../run/ownOperations.ts';
import { emptyModel, runNodes, type Graph } from '../run/runNodes.ts';
import { ownNodes } from './ownNodes.ts';
import type { Engine, FoldedGraph, Program } from './engine.ts';

/** The engine, and its programs' type: they run synchronously. */
export const ownEngine: Engine = { prepare: (part) => Promise.resolve(makeProgram(part)) };

/** A program that runs synchronously. */
export interface OwnProgram extends Program {
  run(input: Tensor): Tensor;
}

/**
 * Makes a program of a graph. It runs a batch as a whole: smaller portions would fit into the processor's cache, but
 * starting kernels more often costs more than that gains.
 */
export function makeProgram({ graph, constants, input }: FoldedGraph): OwnProgram {
  const [output = graph.input] = graph.outputs;
  const model = emptyModel(graph);
  // Detached from the open scope of the engine, which would otherwise free them.
  for (const [name, value] of constants) model.weights[name] = [keep(value)];
  const release = keepConstants(constants.values());
  const modelToRun = chooseModel(model, ownNodes(graph, constants));
  let disposed = false;
  return {
    leftToOwn: [],
    run(x) {
      if (disposed) throw disposedPart(graph.name);
      return runNodes(modelToRun(), { entry: graph.input, input: x, exit: output });
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

/** Returns a function that chooses for each run, because the backend may be another one than before. */
function chooseModel(model: Graph, own: NodeGraph | undefined): () => Graph {
  let ownModel: Graph | undefined;
  return () => {
    if (own === undefined || !hasOwnOperations()) return model;
    registerOwnOperations();
    if (ownModel === undefined) {
      ownModel = emptyModel(own);
      Object.assign(ownModel.weights, model.weights);
    }
    return ownModel;
  };
}

/** The error of a part that runs after its dispose. */
export function disposedPart(name: string): TransferKitError {
  const text = `expected a usable part of '${name}', got one after its dispose(). Fold it again.`;
  return new TransferKitError('DISPOSED', text, { name });
}
