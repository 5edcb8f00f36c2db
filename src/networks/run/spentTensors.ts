// Frees tensors as soon as the computation of gradients no longer needs them.
import { dispose, engine, type Tensor } from '@tensorflow/tfjs-core';

let spent: readonly Tensor[] = [];

/**
 * Frees tensors when the gradients of the next kernel are requested, because those of this one are then finished. tfjs
 * itself keeps them until all gradients are computed, although it would need them only for second gradients.
 */
export function freeLater(tensors: readonly Tensor[]): void {
  if (engine().state.gradientDepth > 0) return;
  dispose([...spent]);
  spent = tensors;
}
