// Inserts zeros between pixels, and pads or crops pictures, for the gradients of strided convolutions. It uses pads of
// two axes, which the wasm backend does at the speed of memory; its StridedSlice and Gather are scalar loops.
import { pad, reshape, slice, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import {
  rank4,
  type ConvolutionAttributes,
  type ConvolutionAxis,
  type ConvolutionGeometry,
} from './convolutionGeometry.ts';

/** Rows or columns to add before and after; negative numbers remove them. */
export type Margin = readonly [before: number, after: number];

/**
 * Inserts `stride - 1` rows and columns of zeros after each pixel.
 *
 * @param x - [b, h, w, c]
 * @returns [b, h * rowStride, w * columnStride, c]
 */
export function spreadPixels(x: Tensor4D, rowStride: number, columnStride: number): Tensor4D {
  const [b, h, w, c] = x.shape;
  const wide = appendZeros(x, b * h * w, c, columnStride); // [b * h * w, columnStride * c]
  const tall = appendZeros(wide, b * h, w * columnStride * c, rowStride); // [b * h, rowStride * w * columnStride * c]
  return rank4(tall, [b, h * rowStride, w * columnStride, c]);
}

function appendZeros(x: Tensor, count: number, length: number, times: number): Tensor {
  const zeros: [number, number] = [0, (times - 1) * length];
  return times === 1 ? x : pad(reshape(x, [count, length]), [[0, 0], zeros]);
}

/**
 * Adds zeros around pictures, or crops them where a margin is negative.
 *
 * @param x - [b, h, w, c]
 */
export function fitPixels(x: Tensor4D, rows: Margin, columns: Margin): Tensor4D {
  const kept = cropPixels(x, rows, columns);
  if ([...rows, ...columns].every((margin) => margin <= 0)) return kept;
  return pad(kept, [[0, 0], zerosOf(rows), zerosOf(columns), [0, 0]]);
}

/** The padding of the spread dy when the gradient with respect to the input is a convolution of it with stride 1. */
export function inputMargins(
  spread: Tensor4D,
  { rows, columns }: ConvolutionGeometry,
): { readonly kept: Tensor4D; readonly padding: ConvolutionAttributes['pad'] } {
  const margins = ({ kernel, dilation, padBefore, input, output, stride }: ConvolutionAxis): Margin => {
    return [(kernel - 1) * dilation - padBefore, input + padBefore - output * stride];
  };
  const kept = cropPixels(spread, margins(rows), margins(columns));
  return { kept, padding: [[0, 0], zerosOf(margins(rows)), zerosOf(margins(columns)), [0, 0]] };
}

function cropPixels(x: Tensor4D, [top, bottom]: Margin, [left, right]: Margin): Tensor4D {
  if (Math.min(top, bottom, left, right) >= 0) return x;
  const [b, h, w, c] = x.shape;
  const begin: [number, number] = [Math.max(-top, 0), Math.max(-left, 0)];
  const height = h - begin[0] + Math.min(bottom, 0);
  const width = w - begin[1] + Math.min(right, 0);
  return slice(x, [0, ...begin, 0], [b, height, width, c]);
}

function zerosOf([before, after]: Margin): [number, number] {
  return [Math.max(before, 0), Math.max(after, 0)];
}
