// The gradient of average pooling. A window at the edge averages the values inside the input alone, but tfjs-core's
// gradient divides by the size of the whole window.
import {
  AvgPool,
  AvgPool3D,
  backend_util,
  getGradient,
  mul,
  tensor,
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';

/** Returns the gradients of tf.avgPool and tf.avgPool3d, which wrap those that are registered. */
export function averageGradients(): readonly GradConfig[] {
  return [weighted(AvgPool, axesOf2D), weighted(AvgPool3D, axesOf3D)];
}

/** One axis of pooling. */
interface PooledAxis {
  readonly axis: number;
  readonly size: number;
  readonly outputs: number;
  readonly extent: number;
  readonly stride: number;
  readonly before: number;
}

type Geometry = Parameters<typeof backend_util.computePool2DInfo>;
type Geometry3D = Parameters<typeof backend_util.computePool3DInfo>;

function weighted(kernelName: string, axesOf: (shape: number[], attributes: NamedAttrMap) => PooledAxis[]): GradConfig {
  const { gradFunc } = getGradient(kernelName);
  return {
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => {
      const [x] = saved;
      if (x === undefined || Array.isArray(dy)) throw internalError(`${kernelName} saved too little`);
      const shares = axesOf(x.shape, attributes).reduce(weightEdges, dy);
      return gradFunc(shares, saved, attributes);
    },
  };
}

/** Multiplies the gradient of each window by its whole size divided by the part of it that is inside the input. */
function weightEdges(dy: Tensor, { axis, size, outputs, extent, stride, before }: PooledAxis): Tensor {
  const weights = Array.from({ length: outputs }, (_, i) => {
    const start = i * stride - before;
    return extent / (Math.min(start + extent, size) - Math.max(start, 0));
  });
  if (weights.every((weight) => weight === 1)) return dy;
  return mul(
    dy,
    tensor(
      weights,
      dy.shape.map((_, each) => (each === axis ? outputs : 1)),
    ),
  );
}

function axesOf2D(shape: number[], { filterSize, strides, pad, dimRoundingMode }: NamedAttrMap): PooledAxis[] {
  const info = backend_util.computePool2DInfo(
    shape as Geometry[0],
    filterSize as Geometry[1],
    strides as Geometry[2],
    1,
    pad as Geometry[4],
    dimRoundingMode as Geometry[5],
  );
  return [
    { axis: 1, size: info.inHeight, outputs: info.outHeight, extent: info.filterHeight, stride: info.strideHeight, before: info.padInfo.top }, // prettier-ignore
    { axis: 2, size: info.inWidth, outputs: info.outWidth, extent: info.filterWidth, stride: info.strideWidth, before: info.padInfo.left }, // prettier-ignore
  ];
}

function axesOf3D(shape: number[], { filterSize, strides, pad, dimRoundingMode }: NamedAttrMap): PooledAxis[] {
  const info = backend_util.computePool3DInfo(
    shape as Geometry3D[0],
    filterSize as Geometry3D[1],
    strides as Geometry3D[2],
    1,
    pad as Geometry3D[4],
    dimRoundingMode as Geometry3D[5],
  );
  return [
    { axis: 1, size: info.inDepth, outputs: info.outDepth, extent: info.filterDepth, stride: info.strideDepth, before: info.padInfo.front }, // prettier-ignore
    { axis: 2, size: info.inHeight, outputs: info.outHeight, extent: info.filterHeight, stride: info.strideHeight, before: info.padInfo.top }, // prettier-ignore
    { axis: 3, size: info.inWidth, outputs: info.outWidth, extent: info.filterWidth, stride: info.strideWidth, before: info.padInfo.left }, // prettier-ignore
  ];
}
