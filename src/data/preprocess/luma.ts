// Brightness of colours, for bases with one channel.
import type { Scaling } from './scale.ts';

/** Weights of red, green and blue of TensorFlow's `rgb_to_grayscale`, which map white to 0.9999. */
const red = Math.fround(0.2989);
const green = Math.fround(0.587);
const blue = Math.fround(0.114);

/**
 * Writes the scaled brightness of each pixel.
 *
 * @param colours - Red, green and blue of each pixel, 0..255.
 * @param scaling - Scaling of one channel.
 */
export function writeLuma(colours: Float32Array, { mean, divisor }: Scaling, output: Float32Array): void {
  const [black = 0] = mean;
  const [span = 1] = divisor;
  for (let i = 0, from = 0; i < output.length; i++, from += 3) {
    const luma = (colours[from] ?? 0) * red + (colours[from + 1] ?? 0) * green + (colours[from + 2] ?? 0) * blue;
    output[i] = Math.fround(Math.fround(luma) - black) / span;
  }
}
