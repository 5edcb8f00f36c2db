// Sizes of a 2D convolution that its gradients need, the same for both spatial axes.
import {
  backend_util,
  reshape,
  type Conv2DBackpropFilterAttrs,
  type Rank,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';

/** Batch, height, width and channels, or any other four axes. */
export type Quadruple = [number, number, number, number];

/** Attributes that tfjs-core's convolution ops pass to the kernels of their gradients. */
export interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: Conv2DBackpropFilterAttrs['pad'];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  /** tfjs-core's gradients of convolutions refuse dilation, but kernels may be called with it directly. */
  readonly dilations?: number | [number, number];
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

/**
 * One spatial axis: output position `p` reads, with kernel tap `i`, input position `p * stride + i * dilation -
 * padBefore`.
 */
export interface ConvolutionAxis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBefore: number;
}

/** Both axes of a convolution. */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
}

/**
 * Computes the geometry of a convolution. `inputShape` has its axes in the order of the data format; `output` is height
 * and width of the gradient of the output, which shows how the forward pass rounded.
 */
export function convolutionGeometry(
  inputShape: Quadruple,
  filterShape: Quadruple,
  output: readonly [number, number],
  { strides, dilations = 1, pad, dimRoundingMode, dataFormat }: ConvolutionAttributes,
): ConvolutionGeometry {
  const format = dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast';
  const info = backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true, // Depthwise: affects only the number of output channels, which is not used here.
    format,
  );
  return {
    batch: info.batchSize,
    rows: {
      input: info.inHeight,
      output: output[0],
      kernel: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      padBefore: info.padInfo.top,
    },
    columns: {
      input: info.inWidth,
      output: output[1],
      kernel: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      padBefore: info.padInfo.left,
    },
  };
}

/** Whether each output position reads exactly one input position and no padding. */
export function isPointwise({ rows, columns }: ConvolutionGeometry): boolean {
  return [rows, columns].every(({ kernel, padBefore, input, output, stride }) => {
    return kernel === 1 && padBefore === 0 && (output - 1) * stride < input;
  });
}

/** A tensor typed as one of rank 4, with another shape where that is given. */
export function rank4(tensor: Tensor, shape: readonly number[] = tensor.shape): Tensor4D {
  return reshape<Rank.R4>(tensor, quadruple(shape));
}

/** A shape typed as one of rank 4. */
export function quadruple(shape: readonly number[]): Quadruple {
  const [a, b, c, d] = shape;
  if (shape.length === 4 && a !== undefined && b !== undefined && c !== undefined && d !== undefined)
    return [a, b, c, d];
  throw new Error(
    `Gradient of a convolution (transferkit, wasm): expected a shape of rank 4, got [${shape.join(', ')}].`,
  );
}
