// Resamples a picture through a projective map.
import { add, engine, sub, tensor1d, tensor2d, Transform, type Tensor4D } from '@tensorflow/tfjs-core';
import type { PictureFill } from './imageOperation.ts';
import type { Matrix } from './matrix.ts';
import { betweenIndexes } from './pictureMap.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';

/**
 * A picture [1, height, width, channels] as seen through a map: bilinear between pixels.
 *
 * @param range - Needed for a gray `fill`.
 * @returns A new tensor; others that were made are the caller's to tidy.
 */
export function mapPicture(picture: Tensor4D, map: Matrix, fill: PictureFill, range: PixelRange | undefined): Tensor4D {
  if (typeof fill !== 'number') return transform(picture, map, fill);
  // tfjs fills all channels with one value: outside is where 0 is.
  const gray = range === undefined ? [0] : range.black.map((black, i) => black + fill * (spanOf(range)[i] ?? 0));
  const outside = tensor1d(gray);
  return add(transform(sub(picture, outside), map, 'constant'), outside);
}

function transform(picture: Tensor4D, map: Matrix, fillMode: 'constant' | 'nearest' | 'reflect'): Tensor4D {
  const [, height, width] = picture.shape;
  const transforms = tensor2d([betweenIndexes(map, { height, width }).slice(0, 8)]);
  // As tf.image.transform does, without all the other functions of tf.image.
  return engine().runKernel<Tensor4D>(
    Transform,
    { image: picture, transforms },
    { interpolation: 'bilinear', fillMode, fillValue: 0, outputShape: [height, width] },
  );
}
