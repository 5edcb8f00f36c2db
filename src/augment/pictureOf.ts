// A base's input as a picture to look at.
import type { Picture } from '../core/picture.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';

/**
 * Values [height, width, 3] that a base takes as a picture of bytes: rounded, and clipped to black … white.
 */
export function pictureOf(values: ArrayLike<number>, width: number, range: PixelRange): Picture {
  const span = spanOf(range);
  const data = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) {
    const channel = i % 3;
    const share = ((values[i] ?? 0) - (range.black[channel] ?? 0)) / (span[channel] ?? 1);
    data[range.bgr ? i - channel + (2 - channel) : i] = share * 255;
  }
  return { width, height: values.length / 3 / width, data };
}
