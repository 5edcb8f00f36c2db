// Converts a base's input to a picture for display.
import type { Picture } from '../../core/picture.ts';
import { spanOf, type PixelRange } from './pixelRange.ts';

/**
 * Converts values [height, width, 1 or 3] of a base's input to bytes of red, green and blue: rounded, and clipped to
 * black … white.
 */
export function pictureOf(
  values: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
  range: PixelRange,
): Picture {
  const span = spanOf(range);
  const data = new Uint8ClampedArray(height * width * 3);
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3;
    const from = channels === 1 ? (i - channel) / 3 : i;
    const share = ((values[from] ?? 0) - (range.black[channel] ?? 0)) / (span[channel] ?? 1);
    data[range.bgr ? i - channel + (2 - channel) : i] = share * 255;
  }
  return { width, height, data };
}
