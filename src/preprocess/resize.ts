// Resizing on typed arrays in plain TypeScript. Knows nothing about tensors or decoding. What simdResize.ts does is the same
// arithmetic, many times faster: this is what it is held to, and what runs where WebAssembly has no SIMD.
import type { Picture } from '../core/picture.ts';
import type { ImageSpec } from '../core/model.ts';
import type { PictureRegion } from './fit.ts';
import type { Scaling } from './scale.ts';
import { tapsFor, type Taps } from './taps.ts';

/** All that resizing needs besides the pixels. */
export interface ResizePlan {
  readonly rows: Taps;
  readonly columns: Taps;
  readonly scaling: Scaling;
}

/** Writes `height * width * 3` values of a resized and scaled picture. */
export type Resize = (picture: Picture, plan: ResizePlan, output: Float32Array) => void;

/**
 * Plans how a region of a picture is resized.
 *
 * `nearest`, `bilinear` and `antialias` equal `tf.image.resize` with method nearest, with method bilinear, and with
 * method bilinear and `antialias=True` (all with half-pixel centres; TensorFlow 2, kernels resize_nearest_neighbor,
 * resize_bilinear and scale_and_translate). Black lies outside the picture.
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
  const line = new Float32Array(picture.width * 3);
  for (let row = 0; row < plan.rows.first.length; row++) {
    mixRows(picture, plan.rows, row, line);
    mixColumns(line, plan, output.subarray(row * plan.columns.first.length * 3));
  }
}

/** One output row at the picture's own width: a weighted sum of its rows. */
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
function mixColumns(line: Float32Array, { columns, scaling }: ResizePlan, output: Float32Array): void {
  const { first, count, weights, width } = columns;
  const [mean0, mean1, mean2] = scaling.mean;
  const [divisor0, divisor1, divisor2] = scaling.divisor;
  const [red, blue] = scaling.bgr ? [2, 0] : [0, 2];
  const sums = new Float32Array(3);
  for (let column = 0, to = 0; column < first.length; column++, to += 3) {
    sums.fill(0);
    for (let tap = 0; tap < (count[column] ?? 0); tap++) {
      const weight = weights[column * width + tap] ?? 0;
      const from = ((first[column] ?? 0) + tap) * 3;
      for (let i = 0; i < 3; i++) sums[i] = (sums[i] ?? 0) + Math.fround(weight * (line[from + i] ?? 0));
    }
    output[to] = Math.fround((sums[red] ?? 0) - mean0) / divisor0;
    output[to + 1] = Math.fround((sums[1] ?? 0) - mean1) / divisor1;
    output[to + 2] = Math.fround((sums[blue] ?? 0) - mean2) / divisor2;
  }
}
