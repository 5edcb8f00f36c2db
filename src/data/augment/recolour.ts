// Maps every colour of a picture to another one.
import {
  add,
  matMul,
  mean,
  reshape,
  slice,
  tensor1d,
  tensor2d,
  tile,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { needsMean, type ColourChange } from './colourChange.ts';
import { at, apply, matrixOf, type Matrix, type Vector } from './matrix.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';
import { fromUnit } from './unitValues.ts';

/**
 * Changes the colours of a picture [1, height, width, 1 or 3], clipped to black … white. A gray value is treated as a
 * colour of three equal parts, and one of the results is kept.
 *
 * @returns A new tensor; the caller tidies intermediate tensors.
 */
export function recolour(picture: Tensor4D, change: ColourChange, range: PixelRange): Tensor4D {
  const ofColour = fromBase(change.ofColour, range);
  const ofMean = fromBase(change.ofMean, range);
  const isGray = picture.shape[3] === 1;
  const colours = isGray ? tile(picture, [1, 1, 1, 3]) : picture;
  const pixels = reshape(colours, [-1, 3]);
  const products = matMul(pixels, columnsOf(ofColour));
  // An offset, so that the matrices map black to 0.
  const black = apply(
    matrixOf((row, column) => at(ofColour, row, column) + at(ofMean, row, column)),
    range.black,
  );
  let offset: Tensor = tensor1d(black.map((value) => -value));
  if (needsMean(change)) offset = add(matMul(mean(pixels, 0, true), columnsOf(ofMean)), offset);
  const changed: Tensor4D = reshape(fromUnit(add(products, offset), range), colours.shape);
  return isGray ? slice(changed, [0, 0, 0, 0], picture.shape) : changed;
}

/**
 * Converts a matrix on colours to one on the base's values. The result has values 0 … 1 in the base's order of
 * channels.
 */
function fromBase(matrix: Matrix, range: PixelRange): Matrix {
  const span: Vector = spanOf(range);
  const place = (channel: 0 | 1 | 2) => (range.bgr ? 2 - channel : channel);
  return matrixOf((row, column) => at(matrix, place(row), place(column)) / span[column]);
}

/** The transposed matrix, for multiplication from the left by rows. */
function columnsOf(matrix: Matrix): Tensor {
  return tensor2d([...matrixOf((row, column) => at(matrix, column, row))], [3, 3]);
}
