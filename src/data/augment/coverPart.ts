// Covers a rectangle of a picture.
import { add, broadcastTo, mul, pad, tensor4d, zeros, type Tensor4D } from '@tensorflow/tfjs-core';
import { drawPart, type Random } from './drawing.ts';
import type { ImageOperation } from './imageOperation.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';

/**
 * A picture [1, height, width, 1 or 3] with a rectangle in gray.
 *
 * @returns A new tensor; others that were made are the caller's to tidy.
 */
export function coverPart(
  picture: Tensor4D,
  operation: ImageOperation<'cutout'>,
  random: Random,
  range: PixelRange,
): Tensor4D {
  const [, height, width, channels] = picture.shape;
  const part = drawPart(random, { height, width }, operation);
  const rows = Math.max(1, Math.round(part.height));
  const columns = Math.max(1, Math.round(part.width));
  const top = Math.floor(random() * (height - rows + 1));
  const left = Math.floor(random() * (width - columns + 1));
  const around: [number, number][] = [
    [0, 0],
    [top, height - rows - top],
    [left, width - columns - left],
    [0, 0],
  ];
  const gray = range.black.map((black, i) => black + operation.fill * (spanOf(range)[i] ?? 0));
  const cover = broadcastTo(tensor4d(gray.slice(0, channels), [1, 1, 1, channels]), [1, rows, columns, channels]);
  const kept = pad(zeros([1, rows, columns, channels]), around, 1);
  return add(mul(picture, kept), pad(cover, around, 0));
}
