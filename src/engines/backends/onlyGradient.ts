// The gradient of an operation with one output.
import type { Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';

/** Returns it; tfjs types a gradient as one or several. */
export function only(dy: Tensor | Tensor[]): Tensor {
  if (Array.isArray(dy)) throw internalError('expected one gradient, got several');
  return dy;
}
