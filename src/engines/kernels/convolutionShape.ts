// Sizes of a convolution, from the arguments of tfjs's kernels.
import { backend_util, type Conv2DAttrs, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelCall } from './kernelMaker.ts';
import type { PatchAxis } from './patches.ts';

/** Shapes, strides, dilation and padding; channels last. */
export type ConvolutionShape = backend_util.Conv2DInfo;

/** Four axes. */
export type Shape4 = [number, number, number, number];

/** Returns the sizes of a convolution; undefined where the module does not support it. */
export function convolutionShape(
  x: readonly number[],
  filter: readonly number[],
  attributes: KernelCall['attrs'],
): ConvolutionShape | undefined {
  const xShape = shape4(x);
  const filterShape = shape4(filter);
  // Set by tfjs-core's ops in the engine's untyped map of attributes.
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes as unknown as Partial<Conv2DAttrs>;
  if (xShape === undefined || filterShape === undefined || strides === undefined || pad === undefined) return undefined;
  if ((dataFormat ?? 'NHWC') !== 'NHWC' || xShape[3] !== filterShape[2]) return undefined;
  return backend_util.computeConv2DInfo(xShape, filterShape, strides, dilations ?? 1, pad, dimRoundingMode);
}

/** The rows that the outputs read. */
export function rowsOf(shape: ConvolutionShape): PatchAxis {
  return {
    ...{ input: shape.inHeight, output: shape.outHeight, taps: shape.filterHeight, span: 1 },
    ...{ start: -shape.padInfo.top, stride: shape.strideHeight, step: shape.dilationHeight },
  };
}

/** The columns that the outputs read. */
export function columnsOf(shape: ConvolutionShape): PatchAxis {
  return {
    ...{ input: shape.inWidth, output: shape.outWidth, taps: shape.filterWidth, span: 1 },
    ...{ start: -shape.padInfo.left, stride: shape.strideWidth, step: shape.dilationWidth },
  };
}

/** Returns a shape of four axes; undefined for any other. */
export function shape4(shape: readonly number[]): Shape4 | undefined {
  const [a, b, c, d] = shape;
  const isWhole = a !== undefined && b !== undefined && c !== undefined && d !== undefined && shape.length === 4;
  return isWhole ? [a, b, c, d] : undefined;
}

/** Whether a tensor is given and has the only type that the module supports. */
export function isFloat(info: TensorInfo | undefined): info is TensorInfo {
  return info?.dtype === 'float32';
}
