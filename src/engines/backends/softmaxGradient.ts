// The gradient of a softmax as one kernel, on backends that have it.
import {
  Softmax,
  engine,
  getBackend,
  getGradient,
  getKernel,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { only } from './onlyGradient.ts';

const kernelName = 'TransferkitSoftmaxGradient';

/** Returns the gradient of tf.softmax, which falls back to the one that is registered. */
export function softmaxGradient(): GradConfig {
  const before = getGradient(Softmax);
  return {
    ...before,
    gradFunc: (dy, saved, attributes) => {
      const [y] = saved;
      if (y === undefined) throw internalError('Softmax saved too little');
      if (!hasKernel(y)) return before.gradFunc(dy, saved, attributes);
      return { logits: () => engine().runKernel<Tensor>(kernelName, { y, dy: only(dy) }) };
    },
  };
}

/** Whether the current backend has the kernel, and nothing is recorded for the gradient of this gradient. */
function hasKernel({ dtype, size, rank }: Tensor): boolean {
  // tfjs types every kernel as present.
  const kernel: unknown = getKernel(kernelName, getBackend());
  return kernel !== undefined && engine().state.gradientDepth === 0 && dtype === 'float32' && size > 0 && rank > 0;
}
