// What an engine is: it runs folded parts of networks. Types only.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import type { TensorSpec } from '../../core/types.ts';

/** A folded part: nodes with one output, and the values of their constants. */
export interface FoldedGraph {
  readonly graph: NodeGraph;
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Shape and type of the input. */
  readonly input: TensorSpec;
}

/** A part of a network for inference, with the weights that it had when the program was made. */
export interface Program {
  /**
   * Runs a batch. The caller keeps the input until the result is there, and owns the result.
   *
   * @throws TransferKitError `DISPOSED`; `ENGINE_FAILED` for an error of another engine.
   */
  run(input: Tensor): Tensor | Promise<Tensor>;
  /** Nodes that the engine has no form for. This package's own engine runs them. */
  readonly leftToOwn: readonly string[];
  /** Frees the constants. A second call does nothing. */
  dispose(): void;
  /** Lists the steps, for debugging. */
  toString(): string;
}

/** Runs folded parts. */
export interface Engine {
  /** Prepares a part. Its constants belong to the engine from now on, also if this raises an error. */
  prepare(part: FoldedGraph): Promise<Program>;
}
