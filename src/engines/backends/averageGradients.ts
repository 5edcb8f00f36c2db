// The gradient of average pooling. A window at the edge averages the values inside the input alone, but tfjs-core's
// gradient divides by the size of the whole window.
import { AvgPool, AvgPool3D, getGradient, mul, tensor, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { planeWindows, volumeWindows } from './windowGeometry.ts';
import type { WindowAxis } from './windows.ts';

/** Returns the gradients of tf.avgPool and tf.avgPool3d, which wrap those that are registered. */
export function averageGradients(): readonly GradConfig[] {
  return [weighted(AvgPool, planeWindows), weighted(AvgPool3D, volumeWindows)];
}

function weighted(kernelName: string, windowsOf: typeof planeWindows): GradConfig {
  const { gradFunc } = getGradient(kernelName);
  return {
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => {
      const [x] = saved;
      if (x === undefined || Array.isArray(dy)) throw internalError(`${kernelName} saved too little`);
      return gradFunc(windowsOf(x, attributes, dy).reduce(weightEdges, dy), saved, attributes);
    },
  };
}

/** Multiplies the gradient of each window by its whole size divided by the part of it that is inside the input. */
function weightEdges(dy: Tensor, { input, output, size, stride, before }: WindowAxis, place: number): Tensor {
  const weights = Array.from({ length: output }, (_, i) => {
    const start = i * stride - before;
    return size / (Math.min(start + size, input) - Math.max(start, 0));
  });
  if (weights.every((weight) => weight === 1)) return dy;
  const shape = dy.shape.map((_, axis) => (axis === place + 1 ? output : 1));
  return mul(dy, tensor(weights, shape));
}
