// The numbers of a convolution, from what tfjs hands to its kernels.
import { backend_util, type Conv2DAttrs, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelCall } from './kernelMaker.ts';
import type { PatchAxis } from './patches.ts';

/** Shapes, strides, dilation and padding; channels last. */
export type ConvolutionShape = backend_util.Conv2DInfo;

/** Four axes. */
export type Shape4 = [number, number, number, number];

/** The numbers of a convolution; undefined where the module does not do it. */
export function convolutionShape(
  x: readonly number[],
  filter: readonly number[],
  attributes: KernelCall['attrs'],
): ConvolutionShape | undefined {
  const xShape = shape4(x);
  const filterShape = shape4(filter);
  // What tfjs-core's ops put into the engine's untyped map of attributes.
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes as unknown as Partial<Conv2DAttrs>;
  if (xShape === undefined || filterShape === undefined || strides === undefined || pad === undefined) return undefined;
  if ((dataFormat ?? 'NHWC') !== 'NHWC' || xShape[3] !== filterShape[2]) return undefined;
  return backend_util.computeConv2DInfo(xShape, filterShape, strides, dilations ?? 1, pad, dimRoundingMode);
}

/** What the outputs read of the rows. */
export function rowsOf(shape: ConvolutionShape): PatchAxis {
  return {
    ...{ input: shape.inHeight, output: shape.outHeight, taps: shape.filterHeight, span: 1 },
    ...{ start: -shape.padInfo.top, stride: shape.strideHeight, step: shape.dilationHeight },
  };
}

/** What the outputs read of the columns. */
export function columnsOf(shape: ConvolutionShape): PatchAxis {
  return {
    ...{ input: shape.inWidth, output: shape.outWidth, taps: shape.filterWidth, span: 1 },
    ...{ start: -shape.padInfo.left, stride: shape.strideWidth, step: shape.dilationWidth },
  };
}

/** A shape of four axes; undefined for any other. */
export function shape4(shape: readonly number[]): Shape4 | undefined {
  const [a, b, c, d] = shape;
  const isWhole = a !== undefined && b !== undefined && c !== undefined && d !== undefined && shape.length === 4;
  return isWhole ? [a, b, c, d] : undefined;
}

/** Whether there is such a tensor, of the one type that the module computes with. */
export function isFloat(info: TensorInfo | undefined): info is TensorInfo {
  return info?.dtype === 'float32';
}
