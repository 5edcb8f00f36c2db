// Gradients of a 2D convolution as convolutions and matrix products, channels last: XNNPACK does the arithmetic.
import {
  conv2d,
  depthwiseConv2d,
  image,
  matMul,
  ones,
  reshape,
  slice,
  transpose,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { isPointwise, rank4, type ConvolutionAxis, type ConvolutionGeometry } from './convolutionGeometry.ts';
import { fitPixels, inputMargins, spreadPixels } from './spreadPixels.ts';

/**
 * Gradient of a convolution with respect to its filter: x and dy exchange roles, channels become the batch, and the
 * stride of the one convolution is the dilation of the other.
 *
 * @param x - [b, h, w, c]
 * @param dy - [b, oh, ow, k]
 * @returns [kernelHeight, kernelWidth, c, k]
 */
export function convolutionFilterGradient(x: Tensor4D, dy: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  if (isPointwise(geometry)) return pointwiseFilterGradient(x, dy, geometry);
  const { rows, columns } = geometry;
  const pictures = transpose(x, [3, 1, 2, 0]); // [c, h, w, b]
  const filters = transpose(dy, [1, 2, 0, 3]); // [oh, ow, b, k]
  const taps = conv2d(
    pictures,
    filters,
    [rows.dilation, columns.dilation],
    [
      [0, 0],
      [rows.padBefore, padAfter(rows)],
      [columns.padBefore, padAfter(columns)],
      [0, 0],
    ],
    'NHWC',
    [rows.stride, columns.stride],
  ); // [c, kernelHeight or more, kernelWidth or more, k]
  const [c, height, width, k] = taps.shape;
  // Rows and columns at the end of the input that the forward pass did not read give taps beyond the kernel.
  const isWhole = height === rows.kernel && width === columns.kernel;
  const wanted = isWhole ? taps : slice(taps, [0, 0, 0, 0], [c, rows.kernel, columns.kernel, k]);
  return transpose(wanted, [1, 2, 0, 3]); // [kernelHeight, kernelWidth, c, k]
}

function padAfter({ input, output, kernel, stride, dilation, padBefore }: ConvolutionAxis): number {
  return Math.max((output - 1) * stride + (kernel - 1) * dilation + 1 - input - padBefore, 0);
}

function pointwiseFilterGradient(x: Tensor4D, dy: Tensor4D, { rows, columns }: ConvolutionGeometry): Tensor4D {
  const [b, oh, ow, k] = dy.shape;
  const c = x.shape[3];
  const seen = takePixels(x, rows.stride, columns.stride); // [b, oh, ow, c]
  const product = matMul(reshape(seen, [b * oh * ow, c]), reshape(dy, [b * oh * ow, k]), true); // [c, k]
  return rank4(product, [1, 1, c, k]);
}

/**
 * Every `rowStride`-th row and `columnStride`-th column: a depthwise convolution with ones is the fastest way on wasm.
 */
function takePixels(x: Tensor4D, rowStride: number, columnStride: number): Tensor4D {
  if (rowStride === 1 && columnStride === 1) return x;
  return depthwiseConv2d(x, ones([1, 1, x.shape[3], 1]), [rowStride, columnStride], 'valid');
}

/**
 * Gradient of a convolution with respect to its input: a convolution of dy, with zeros between its pixels for the
 * stride, with the filter rotated by 180°.
 *
 * @param dy - [b, oh, ow, k]
 * @param filter - [kernelHeight, kernelWidth, c, k]
 * @returns [b, h, w, c]
 */
export function convolutionInputGradient(dy: Tensor4D, filter: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  if (isPointwise(geometry)) return pointwiseInputGradient(dy, filter, geometry);
  const { rows, columns } = geometry;
  const spread = spreadPixels(dy, rows.stride, columns.stride);
  const turned = transpose(turnFilter(filter), [0, 1, 3, 2]); // [kernelHeight, kernelWidth, k, c]
  const { kept, padding } = inputMargins(spread, geometry);
  return conv2d(kept, turned, 1, padding, 'NHWC', [rows.dilation, columns.dilation]);
}

function pointwiseInputGradient(dy: Tensor4D, filter: Tensor4D, { rows, columns }: ConvolutionGeometry): Tensor4D {
  const [b, oh, ow, k] = dy.shape;
  const c = filter.shape[2];
  const product = matMul(reshape(dy, [b * oh * ow, k]), reshape(filter, [c, k]), false, true); // [b * oh * ow, c]
  const spread = spreadPixels(rank4(product, [b, oh, ow, c]), rows.stride, columns.stride);
  // [b, h, w, c]
  return fitPixels(spread, [0, rows.input - oh * rows.stride], [0, columns.input - ow * columns.stride]);
}

/** Rotates a filter by 180° in its plane. The kernel of flipLeftRight is 60 times as fast as that of reverse. */
export function turnFilter(filter: Tensor4D): Tensor4D {
  const [height, width, c, k] = filter.shape;
  const taps = rank4(filter, [1, 1, height * width, c * k]);
  return rank4(image.flipLeftRight(taps), [height, width, c, k]);
}
