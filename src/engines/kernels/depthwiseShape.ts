// Sizes of a depthwise convolution, from the arguments of tfjs's kernels.
import { backend_util, type Conv2DAttrs } from '@tensorflow/tfjs-core';
import { shape4 } from './convolutionShape.ts';
import type { ForwardAxis } from './depthwiseAxis.ts';
import type { KernelCall } from './kernelMaker.ts';

/** Shapes, strides, dilation and padding; channels last, one filter for each channel. */
export type DepthwiseShape = backend_util.Conv2DInfo;

/**
 * Returns the sizes of a depthwise convolution; undefined where the module does not support it.
 *
 * @param dy - Shape of the gradient of the output, if there is one: it shows how the forward pass rounded.
 */
export function depthwiseShape(
  x: readonly number[],
  filter: readonly number[],
  attributes: KernelCall['attrs'],
  dy?: readonly number[],
): DepthwiseShape | undefined {
  const xShape = shape4(x);
  const filterShape = shape4(filter);
  // Set by tfjs-core's ops in the engine's untyped map of attributes.
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes as unknown as Partial<Conv2DAttrs>;
  if (xShape === undefined || filterShape === undefined || strides === undefined || pad === undefined) return undefined;
  if ((dataFormat ?? 'NHWC') !== 'NHWC' || xShape[3] !== filterShape[2] || filterShape[3] !== 1) return undefined;
  const info = backend_util.computeConv2DInfo(xShape, filterShape, strides, dilations ?? 1, pad, dimRoundingMode, true);
  if (dy === undefined) return info;
  const [batch, outHeight, outWidth, channels] = shape4(dy) ?? [];
  if (batch !== info.batchSize || channels !== info.inChannels) return undefined;
  return outHeight === undefined || outWidth === undefined ? undefined : { ...info, outHeight, outWidth };
}

/** The rows of a convolution. */
export function rowsOf(shape: DepthwiseShape): ForwardAxis {
  return {
    ...{ input: shape.inHeight, output: shape.outHeight, taps: shape.filterHeight },
    ...{ stride: shape.strideHeight, dilation: shape.dilationHeight, padBefore: shape.padInfo.top },
  };
}

/** The columns of a convolution. */
export function columnsOf(shape: DepthwiseShape): ForwardAxis {
  return {
    ...{ input: shape.inWidth, output: shape.outWidth, taps: shape.filterWidth },
    ...{ stride: shape.strideWidth, dilation: shape.dilationWidth, padBefore: shape.padInfo.left },
  };
}
