// Resizing on typed arrays in plain TypeScript, so that Node and browsers give the same numbers. Knows nothing about
// tensors, decoding or the scaling of values.
import type { Picture } from '../core/picture.ts';
import type { ImageSpec } from '../core/types.ts';
import type { PictureRegion, Span } from './fit.ts';

/** How the values of one output axis are made: output `i` is the sum of `count[i]` weighted inputs from `first[i]` on. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `width` places for each output. */
  readonly weights: Float32Array;
  readonly width: number;
}

/**
 * Resizes a region of a picture.
 *
 * `nearest`, `bilinear` and `antialias` equal `tf.image.resize` with method nearest, with method bilinear, and with
 * method bilinear and `antialias=True` (all with half-pixel centres; TensorFlow 2, kernels resize_nearest_neighbor,
 * resize_bilinear and scale_and_translate). Black lies outside the picture.
 *
 * @param picture - RGB, any numbers.
 * @param region - The part to resize, in pixels of the picture.
 * @param size - Height and width of the result, in pixels.
 * @returns `height * width * 3` values in RGB order, not rounded, in the picture's own range.
 */
export function resize(
  picture: Picture,
  region: PictureRegion,
  size: readonly [number, number],
  method: ImageSpec['resize'],
): Float32Array {
  const rows = tapsFor(region.rows, picture.height, size[0], method);
  const columns = tapsFor(region.columns, picture.width, size[1], method);
  const used = usedRows(rows);
  const narrowed = resizeColumns(picture, columns, used); // [used.length, size[1], 3]
  return resizeRows(narrowed, rows, used.start, size[1] * 3); // [size[0], size[1], 3]
}

/** The weights of an axis: computed on the region, then moved to the picture; what falls outside weighs nothing. */
function tapsFor(span: Span, inputSize: number, outputSize: number, method: ImageSpec['resize']): Taps {
  const scale = Math.fround(span.length / outputSize);
  const reach = method === 'antialias' ? Math.max(scale, 1) : 1;
  const width = 2 * Math.ceil(reach) + 1;
  const taps = {
    first: new Int32Array(outputSize),
    count: new Int32Array(outputSize),
    weights: new Float32Array(outputSize * width),
    width,
  };
  for (let i = 0; i < outputSize; i++) {
    const centre = Math.fround(Math.fround(i + 0.5) * scale);
    const weights = method === 'nearest' ? nearest(centre, span.length) : triangle(centre, span.length, reach);
    const start = span.start + weights.first;
    const skipped = Math.max(0, -start);
    const kept = Math.max(0, Math.min(weights.values.length, inputSize - start) - skipped);
    taps.first[i] = start + skipped;
    taps.count[i] = kept;
    taps.weights.set(weights.values.slice(skipped, skipped + kept), i * width);
  }
  return taps;
}

interface Weights {
  readonly first: number;
  readonly values: readonly number[];
}

function nearest(centre: number, length: number): Weights {
  return { first: Math.min(Math.floor(centre), length - 1), values: [1] };
}

/**
 * A triangle of half width `reach` around `centre`, cut at the edges and normalised to 1. With reach 1 it is bilinear
 * interpolation: cutting and normalising come to the same as repeating the edge.
 */
function triangle(centre: number, length: number, reach: number): Weights {
  const first = Math.max(Math.ceil(centre - reach - 0.5), 0);
  const last = Math.min(Math.floor(centre + reach - 0.5), length - 1);
  const values: number[] = [];
  let sum = 0;
  for (let source = first; source <= last; source++) {
    const weight = Math.max(0, 1 - Math.abs((source + 0.5 - centre) / reach));
    values.push(weight);
    sum += weight;
  }
  return { first, values: values.map((weight) => weight / sum) };
}

/** The rows of the picture that any output row needs. */
function usedRows(rows: Taps): Span {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  rows.count.forEach((count, i) => {
    const first = rows.first[i] ?? 0;
    if (count === 0) return;
    start = Math.min(start, first);
    end = Math.max(end, first + count);
  });
  return end === 0 ? { start: 0, length: 0 } : { start, length: end - start };
}

/** Resizes the used rows of a picture along the columns. */
function resizeColumns(picture: Picture, columns: Taps, used: Span): Float32Array {
  const { data, width } = picture;
  const { first, count, weights } = columns;
  const outputWidth = first.length;
  const output = new Float32Array(used.length * outputWidth * 3);
  let to = 0;
  for (let row = 0; row < used.length; row++) {
    const rowStart = (used.start + row) * width;
    for (let column = 0; column < outputWidth; column++) {
      let from = (rowStart + (first[column] ?? 0)) * 3;
      let tap = column * columns.width;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (const end = tap + (count[column] ?? 0); tap < end; tap++) {
        const weight = weights[tap] ?? 0;
        red += weight * (data[from] ?? 0);
        green += weight * (data[from + 1] ?? 0);
        blue += weight * (data[from + 2] ?? 0);
        from += 3;
      }
      output[to] = red;
      output[to + 1] = green;
      output[to + 2] = blue;
      to += 3;
    }
  }
  return output;
}

/** Resizes along the rows: every output row is a weighted sum of input rows of `rowLength` values. */
function resizeRows(input: Float32Array, rows: Taps, inputStart: number, rowLength: number): Float32Array {
  const { first, count, weights } = rows;
  const output = new Float32Array(first.length * rowLength);
  for (let row = 0; row < first.length; row++) {
    const to = row * rowLength;
    for (let tap = 0; tap < (count[row] ?? 0); tap++) {
      const weight = weights[row * rows.width + tap] ?? 0;
      const from = ((first[row] ?? 0) - inputStart + tap) * rowLength;
      for (let i = 0; i < rowLength; i++) output[to + i] = (output[to + i] ?? 0) + weight * (input[from + i] ?? 0);
    }
  }
  return output;
}
