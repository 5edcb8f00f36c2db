// The inputs and weights of each output of a resized axis. Rows and columns are two such axes.
import type { ImageSpec } from '../../model/model.ts';
import type { Span } from './fit.ts';

/** The weights of one axis: output `i` is the sum of `count[i]` weighted inputs from `first[i]` on. */
export interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `width` places for each output. */
  readonly weights: Float32Array;
  readonly width: number;
}

/**
 * Returns the weights of an axis: computed on the region, then moved to the picture. Inputs outside the picture get no
 * weight.
 *
 * @param span - The part of the axis that is resized.
 * @param inputSize - Pixels that the picture has on this axis.
 * @param outputSize - Pixels that the result has.
 */
export function tapsFor(span: Span, inputSize: number, outputSize: number, method: ImageSpec['resize']): Taps {
  const scale = Math.fround(span.length / outputSize);
  const taps = method === 'nearest' ? nearest(span, scale, outputSize) : triangles(span, scale, outputSize, method);
  for (let i = 0; i < outputSize; i++) moveToPicture(taps, i, span.start, inputSize);
  return taps;
}

function centreOf(output: number, scale: number): number {
  return Math.fround(Math.fround(output + 0.5) * scale);
}

function nearest({ length }: Span, scale: number, outputSize: number): Taps {
  const first = Int32Array.from({ length: outputSize }, (_, i) => Math.min(Math.floor(centreOf(i, scale)), length - 1));
  const ones = { count: new Int32Array(outputSize).fill(1), weights: new Float32Array(outputSize).fill(1) };
  return { first, ...ones, width: 1 };
}

/**
 * Triangles around the centre of each output, cut at the edges and normalised to 1. With a half width of 1 that is
 * bilinear interpolation: cutting and normalising gives the same as repeating the edge.
 */
function triangles({ length }: Span, scale: number, outputSize: number, method: 'antialias' | 'bilinear'): Taps {
  const reach = method === 'antialias' ? Math.max(scale, 1) : 1; // half the width of a triangle
  const width = Math.ceil(2 * reach);
  const first = new Int32Array(outputSize);
  const count = new Int32Array(outputSize);
  const weights = new Float32Array(outputSize * width);
  const heights = new Float64Array(width);
  for (let i = 0; i < outputSize; i++) {
    const centre = centreOf(i, scale);
    const from = Math.max(Math.floor(centre - reach - 0.5) + 1, 0);
    const to = Math.min(Math.ceil(centre + reach - 0.5), length);
    let sum = 0;
    for (let tap = 0; tap < to - from; tap++) {
      const height = 1 - Math.abs((from + tap + 0.5 - centre) / reach);
      heights[tap] = height;
      sum += height;
    }
    first[i] = from;
    count[i] = to - from;
    for (let tap = 0; tap < to - from; tap++) weights[i * width + tap] = (heights[tap] ?? 0) / sum;
  }
  return { first, count, weights, width };
}

/** Moves the taps of one output by `start`, and drops those outside the picture. */
function moveToPicture({ first, count, weights, width }: Taps, output: number, start: number, inputSize: number): void {
  const from = (first[output] ?? 0) + start;
  const dropped = Math.max(0, -from);
  const kept = Math.max(0, Math.min(count[output] ?? 0, inputSize - from) - dropped);
  first[output] = from + dropped;
  count[output] = kept;
  const at = output * width;
  if (dropped > 0) weights.copyWithin(at, at + dropped, at + dropped + kept);
}
