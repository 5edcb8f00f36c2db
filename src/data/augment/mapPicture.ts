// Resamples a picture with a projective map.
import { add, engine, sub, tensor2d, Transform, type Tensor4D } from '@tensorflow/tfjs-core';
import type { PictureFill } from './operation.ts';
import type { Size } from './drawing.ts';
import { apply, at, matrixOf, type Matrix } from './matrix.ts';
import { betweenIndexes } from './pictureMap.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';
import { channels } from './unitValues.ts';

/**
 * Resamples a picture [1, height, width, channels] with a map, bilinear between pixels.
 *
 * @param range - Needed for a gray `fill`.
 * @returns A new tensor; the caller tidies intermediate tensors.
 */
export function mapPicture(picture: Tensor4D, map: Matrix, fill: PictureFill, range: PixelRange | undefined): Tensor4D {
  if (typeof fill !== 'number') return transform(picture, map, fill);
  // tfjs fills all channels with one value, so shift the values until the fill of each channel is 0.
  const gray = range === undefined ? [0] : range.black.map((black, i) => black + fill * (spanOf(range)[i] ?? 0));
  const outside = channels(gray);
  return add(transform(sub(picture, outside), map, 'constant'), outside);
}

function transform(picture: Tensor4D, map: Matrix, fillMode: 'constant' | 'nearest' | 'reflect'): Tensor4D {
  const [, height, width] = picture.shape;
  const indexed = betweenIndexes(map, { height, width });
  const transforms = tensor2d([
    (fillMode === 'reflect' ? awayFromZero(indexed, { height, width }) : indexed).slice(0, 8),
  ]);
  // As tf.image.transform does, without all the other functions of tf.image.
  return engine().runKernel<Tensor4D>(
    Transform,
    { image: picture, transforms },
    { interpolation: 'bilinear', fillMode, fillValue: 0, outputShape: [height, width] },
  );
}

/**
 * The same map in a mirrored copy of the picture, so far to the right and down that no coordinate is negative: for
 * negative ones tfjs's wasm kernel repeats the last pixel.
 */
function awayFromZero(map: Matrix, { height, width }: Size): Matrix {
  const corners = [0, width - 1].flatMap((x) => [0, height - 1].map((y) => apply(map, [x, y, 1])));
  const pictures = (place: 0 | 1, length: number) =>
    Math.max(0, ...corners.map((corner) => Math.ceil(-corner[place] / corner[2] / (2 * length))));
  const further = [2 * width * pictures(0, width), 2 * height * pictures(1, height), 0];
  return matrixOf((row, column) => at(map, row, column) + (further[row] ?? 0) * at(map, 2, column));
}
