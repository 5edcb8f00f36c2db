// Which inputs make each output of a resized axis, and how much each weighs. Rows and columns are two axes of that kind.
import type { ImageSpec } from '../core/types.ts';
import type { Span } from './fit.ts';

/** How the values of one output axis are made: output `i` is the sum of `count[i]` weighted inputs from `first[i]` on. */
export interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `width` places for each output. */
  readonly weights: Float32Array;
  readonly width: number;
}

/**
 * The weights of an axis: computed on the region, then moved to the picture; what falls outside weighs nothing.
 *
 * @param span - The part of the axis that is resized.
 * @param inputSize - Pixels that the picture has on this axis.
 * @param outputSize - Pixels that the result has.
 */
export function tapsFor(span: Span, inputSize: number, outputSize: number, method: ImageSpec['resize']): Taps {
  const scale = Math.fround(span.length / outputSize);
  const reach = method === 'antialias' ? Math.max(scale, 1) : 1;
  const width = method === 'nearest' ? 1 : Math.ceil(2 * reach);
  const first = new Int32Array(outputSize);
  const count = new Int32Array(outputSize);
  const weights = new Float32Array(outputSize * width);
  for (let i = 0; i < outputSize; i++) {
    const centre = Math.fround(Math.fround(i + 0.5) * scale);
    const taps = method === 'nearest' ? nearest(centre, span.length) : triangle(centre, span.length, reach);
    const from = Math.max(taps.from, -span.start);
    const to = Math.min(taps.to, inputSize - span.start);
    first[i] = span.start + from;
    count[i] = Math.max(0, to - from);
    for (let source = from; source < to; source++) weights[i * width + source - from] = taps.weight(source);
  }
  return { first, count, weights, width };
}

/** Inputs `from` … `to - 1` and the weight of each. */
interface Weights {
  readonly from: number;
  readonly to: number;
  weight(source: number): number;
}

function nearest(centre: number, length: number): Weights {
  const from = Math.min(Math.floor(centre), length - 1);
  return { from, to: from + 1, weight: () => 1 };
}

/**
 * A triangle of half width `reach` around `centre`, cut at the edges and normalised to 1. With reach 1 it is bilinear
 * interpolation: cutting and normalising come to the same as repeating the edge.
 */
function triangle(centre: number, length: number, reach: number): Weights {
  const height = (source: number): number => 1 - Math.abs((source + 0.5 - centre) / reach);
  const from = Math.max(Math.floor(centre - reach - 0.5) + 1, 0);
  const to = Math.min(Math.ceil(centre + reach - 0.5), length);
  let sum = 0;
  for (let source = from; source < to; source++) sum += height(source);
  return { from, to, weight: (source) => height(source) / sum };
}
