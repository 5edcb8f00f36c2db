// Gradients of resizing. tfjs's own kernels ignore the option for pixel centres, so their gradients do not match the
// resizing. Resizing is a matrix product along each axis; the matrix is computed by the backend's own resizing kernel.
import {
  ResizeBilinear,
  ResizeNearestNeighbor,
  engine,
  eye,
  matMul,
  reshape,
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';

/** Gradient of tf.image.resizeBilinear. */
export const bilinearGradient = resizeGradient(ResizeBilinear);
/** Gradient of tf.image.resizeNearestNeighbor. */
export const nearestGradient = resizeGradient(ResizeNearestNeighbor);

function resizeGradient(kernelName: string): GradConfig {
  return {
    kernelName,
    inputsToSave: ['images'],
    gradFunc: (dy, saved, attributes) => {
      const [images] = saved;
      if (images === undefined || Array.isArray(dy)) throw internalError(`${kernelName} saved too little`);
      return { images: () => shareOut(kernelName, dy, images.shape, attributes) };
    },
  };
}

/** Distributes the gradient of the new pixels [b, tall, wide, c] to the old ones [b, h, w, c], by their weights. */
function shareOut(kernelName: string, dy: Tensor, old: readonly number[], attributes: NamedAttrMap): Tensor {
  const [b = 1, h = 1, w = 1, c = 1] = old;
  const [, tall = 1, wide = 1] = dy.shape;
  const rows = reshape(sharesOf(kernelName, h, tall, attributes), [1, tall, h]);
  const columns = reshape(sharesOf(kernelName, w, wide, attributes), [1, wide, w]);
  const narrow = matMul(columns, reshape(dy, [b * tall, wide, c]), true); // [b * tall, w, c]
  const both = matMul(rows, reshape(narrow, [b, tall, w * c]), true); // [b, h, w * c]
  return reshape(both, [b, h, w, c]);
}

/** Weight of each old pixel in each new one along one axis, [to, from]: the resized rows of an identity matrix. */
function sharesOf(kernelName: string, from: number, to: number, attributes: NamedAttrMap): Tensor {
  const images = reshape(eye(from), [1, from, 1, from]); // One channel for each pixel.
  const resized: Tensor = engine().runKernel(kernelName, { images }, { ...attributes, size: [to, 1] });
  return reshape(resized, [to, from]);
}
