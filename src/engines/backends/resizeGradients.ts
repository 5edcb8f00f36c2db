// Gradients of resizing. tfjs's own kernels leave out where the centres of pixels are, and give other numbers than the
// resizing itself. Resizing is a product with a matrix along each axis; the backend's own kernel says which.
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

/** Of tf.image.resizeBilinear. */
export const bilinearGradient = resizeGradient(ResizeBilinear);
/** Of tf.image.resizeNearestNeighbor. */
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

/** Gives the gradient of each new pixel [b, tall, wide, c] to the old ones [b, h, w, c], by their shares in it. */
function shareOut(kernelName: string, dy: Tensor, old: readonly number[], attributes: NamedAttrMap): Tensor {
  const [b = 1, h = 1, w = 1, c = 1] = old;
  const [, tall = 1, wide = 1] = dy.shape;
  const rows = reshape(sharesOf(kernelName, h, tall, attributes), [1, tall, h]);
  const columns = reshape(sharesOf(kernelName, w, wide, attributes), [1, wide, w]);
  const narrow = matMul(columns, reshape(dy, [b * tall, wide, c]), true); // [b * tall, w, c]
  const both = matMul(rows, reshape(narrow, [b, tall, w * c]), true); // [b, h, w * c]
  return reshape(both, [b, h, w, c]);
}

/** How much each old pixel counts in each new one along one axis, [to, from]: what becomes of a row for each pixel. */
function sharesOf(kernelName: string, from: number, to: number, attributes: NamedAttrMap): Tensor {
  const images = reshape(eye(from), [1, from, 1, from]); // One channel for each pixel.
  const resized: Tensor = engine().runKernel(kernelName, { images }, { ...attributes, size: [to, 1] });
  return reshape(resized, [to, from]);
}
