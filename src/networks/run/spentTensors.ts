// Tensors that gradients have done with, freed early.
import { dispose, engine, type Tensor } from '@tensorflow/tfjs-core';

let spent: readonly Tensor[] = [];

/**
 * Frees tensors when the gradients of the next kernel are asked for: then those of this one are done. tfjs itself keeps
 * them until all gradients are there, and needs them after that only for gradients of gradients.
 */
export function freeLater(tensors: readonly Tensor[]): void {
  if (engine().state.gradientDepth > 0) return;
  dispose([...spent]);
  spent = tensors;
}
