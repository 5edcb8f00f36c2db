// Resizing on typed arrays in plain TypeScript, without tensors or decoding. simdResize.ts computes the same arithmetic
// many times faster. This version is its reference, and runs where WebAssembly has no SIMD.
import { channelsOf, type Picture } from '../../core/picture.ts';
import type { ImageSpec } from '../../model/model.ts';
import type { PictureRegion } from './fit.ts';
import type { Scaling } from './scale.ts';
import { tapsFor, type Taps } from './taps.ts';

/** All facts that resizing needs besides the pixels. */
export interface ResizePlan {
  readonly rows: Taps;
  readonly columns: Taps;
  readonly scaling: Scaling;
}

/** Writes a resized and scaled picture with the same number of channels. */
export type Resize = (picture: Picture, plan: ResizePlan, output: Float32Array) => void;

/**
 * Plans the resizing of a region of a picture.
 *
 * `nearest`, `bilinear` and `antialias` equal `tf.image.resize` with method nearest, with method bilinear, and with
 * method bilinear and `antialias=True` (all with half-pixel centres; TensorFlow 2, kernels resize_nearest_neighbor,
 * resize_bilinear and scale_and_translate). Values outside the picture are black.
 *
 * @param picture - Its height and width, in pixels.
 * @param region - The part to resize, in pixels of the picture.
 * @param size - Height and width of the result, in pixels.
 */
export function planResize(
  { height, width }: Pick<Picture, 'height' | 'width'>,
  region: PictureRegion,
  size: readonly [number, number],
  method: ImageSpec['resize'],
  scaling: Scaling,
): ResizePlan {
  const rows = tapsFor(region.rows, height, size[0], method);
  const columns = tapsFor(region.columns, width, size[1], method);
  return { rows, columns, scaling };
}

/** Resizes. Every operation rounds to float32, as the SIMD module does. */
export function resizePlainly(picture: Picture, plan: ResizePlan, output: Float32Array): void {
  const channels = channelsOf(picture);
  const line = new Float32Array(picture.width * channels);
  for (let row = 0; row < plan.rows.first.length; row++) {
    mixRows(picture, plan.rows, row, line);
    mixColumns(line, plan, channels, output.subarray(row * plan.columns.first.length * channels));
  }
}

/** One output row in the picture's own width: a weighted sum of its rows. */
function mixRows({ data }: Picture, { first, count, weights, width }: Taps, row: number, line: Float32Array): void {
  const { length } = line;
  line.fill(0);
  for (let tap = 0; tap < (count[row] ?? 0); tap++) {
    const weight = weights[row * width + tap] ?? 0;
    const from = ((first[row] ?? 0) + tap) * length;
    for (let i = 0; i < length; i++) line[i] = (line[i] ?? 0) + Math.fround(weight * (data[from + i] ?? 0));
  }
}

/** One output row: every pixel is a weighted sum of pixels of the line, then scaled. */
function mixColumns(
  line: Float32Array,
  { columns, scaling: { mean, divisor, bgr } }: ResizePlan,
  channels: number,
  output: Float32Array,
): void {
  const { first, count, weights, width } = columns;
  const sums = new Float32Array(channels);
  for (let column = 0, to = 0; column < first.length; column++, to += channels) {
    sums.fill(0);
    for (let tap = 0; tap < (count[column] ?? 0); tap++) {
      const weight = weights[column * width + tap] ?? 0;
      const from = ((first[column] ?? 0) + tap) * channels;
      for (let i = 0; i < channels; i++) sums[i] = (sums[i] ?? 0) + Math.fround(weight * (line[from + i] ?? 0));
    }
    for (let i = 0; i < channels; i++) {
      output[to + i] = Math.fround((sums[bgr ? channels - 1 - i : i] ?? 0) - (mean[i] ?? 0)) / (divisor[i] ?? 1);
    }
  }
}
