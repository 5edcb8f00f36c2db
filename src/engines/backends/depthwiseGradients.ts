// Gradients of a depthwise 2D convolution as products, pools and depthwise convolutions, channels last.
import {
  avgPool,
  concat,
  depthwiseConv2d,
  gather,
  mul,
  ones,
  pad,
  reshape,
  sum,
  tidy,
  transpose,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { rank4, type ConvolutionAxis, type ConvolutionGeometry } from './convolutionGeometry.ts';
import { turnFilter } from './convolutionGradients.ts';
import { inputMargins, spreadPixels } from './spreadPixels.ts';

/**
 * Gradient of a depthwise convolution with respect to its filter. The gradient of a tap is the sum, over all positions,
 * of dy times the pixel that the tap reads there. Cutting those pixels out of x is slow on wasm, so dy is shifted over
 * x by padding instead. With strides, x is first sorted into phases, so that one product serves several taps.
 *
 * @param x - [b, h, w, c]
 * @param dy - [b, oh, ow, c * multiplier]
 * @returns [kernelHeight, kernelWidth, c, multiplier]
 */
export function depthwiseFilterGradient(x: Tensor4D, dy: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  const [, , , c] = x.shape;
  const channels = dy.shape[3];
  const rows = placeTaps(geometry.rows);
  const columns = placeTaps(geometry.columns);
  // [phases, b * size * size * c]
  const phases = sortIntoPhases(repeatChannels(x, channels / c), rows, columns, geometry);
  const means = rows.shifts.flatMap((down) =>
    // Each product is freed at once, so that the next one reuses its memory, which is still in the processor's cache.
    columns.shifts.map((right) => tidy(() => productMeans(phases, dy, rows, down, columns, right))),
  ); // shifts times [phases * b, 1, 1, channels]
  const perTap = pickTaps(meanOverBatch(concat(means), geometry.batch), rows, columns); // [kernel, channels]
  const sums = mul(perTap, geometry.batch * rows.size * columns.size);
  return rank4(sums, [geometry.rows.kernel, geometry.columns.kernel, c, channels / c]);
}

/**
 * Where the taps of one axis read, on the grid of one phase: position `p` of dy is multiplied by pixel `p + shift` of
 * the phase.
 */
interface TapPlaces {
  readonly stride: number;
  /** Length of the grid of each phase. */
  readonly size: number;
  /** The distinct shifts. */
  readonly shifts: readonly number[];
  readonly taps: readonly { readonly phase: number; readonly shiftIndex: number }[];
}

function placeTaps({ kernel, stride, dilation, input, output, padBefore }: ConvolutionAxis): TapPlaces {
  const offsets = Array.from({ length: kernel }, (_, tap) => tap * dilation);
  const shifts = [...new Set(offsets.map((offset) => Math.floor(offset / stride)))];
  const taps = offsets.map((offset) => ({
    phase: offset % stride,
    shiftIndex: shifts.indexOf(Math.floor(offset / stride)),
  }));
  const size = Math.max(Math.ceil((input + padBefore) / stride), Math.max(...shifts) + output);
  return { stride, size, shifts, taps };
}

/** Repeats every channel `times` times, side by side. */
function repeatChannels(x: Tensor4D, times: number): Tensor4D {
  if (times === 1) return x;
  const [b, h, w, c] = x.shape;
  return rank4(mul(reshape(x, [b * h * w * c, 1]), ones([1, times])), [b, h, w, c * times]);
}

/** Pads x to the grid, and groups the pixels of each phase: [columnPhases * rowPhases, everything else]. */
function sortIntoPhases(x: Tensor4D, rows: TapPlaces, columns: TapPlaces, geometry: ConvolutionGeometry): Tensor2D {
  const [b, , , channels] = x.shape;
  const margin = (places: TapPlaces, { input, padBefore }: ConvolutionAxis): [number, number] => {
    return [padBefore, places.size * places.stride - input - padBefore];
  };
  const grid = pad(x, [[0, 0], margin(rows, geometry.rows), margin(columns, geometry.columns), [0, 0]]);
  const line = columns.size * columns.stride * channels;
  const rowsSorted = phaseFirst(grid, [b * rows.size, rows.stride, line]); // [rowPhases, b * size, line]
  const pixels = rows.stride * b * rows.size * columns.size;
  const sorted = phaseFirst(rowsSorted, [pixels, columns.stride, channels]); // [columnPhases, pixels, channels]
  return reshape(sorted, [columns.stride * rows.stride, b * rows.size * columns.size * channels]);
}

function phaseFirst(x: Tensor, shape: [number, number, number]): Tensor {
  return shape[1] === 1 ? x : transpose(reshape(x, shape), [1, 0, 2]);
}

/** dy on the grid of a phase, shifted down and right: [1, everything]. */
function moveOver(dy: Tensor4D, rows: TapPlaces, down: number, columns: TapPlaces, right: number): Tensor2D {
  const [, oh, ow] = dy.shape;
  const moved = pad(dy, [
    [0, 0],
    [down, rows.size - down - oh],
    [right, columns.size - right - ow],
    [0, 0],
  ]);
  return reshape(moved, [1, moved.size]);
}

/** Mean over the grid of the product of the shifted dy with each phase: [phases * b, 1, 1, channels]. */
function productMeans(
  phases: Tensor2D,
  dy: Tensor4D,
  rows: TapPlaces,
  down: number,
  columns: TapPlaces,
  right: number,
): Tensor4D {
  const channels = dy.shape[3];
  const product = mul(phases, moveOver(dy, rows, down, columns, right));
  const pictures = product.size / (rows.size * columns.size * channels);
  return meanOf(rank4(product, [pictures, rows.size, columns.size, channels]));
}

/** Mean over the batch: [n * b, 1, 1, channels] becomes [n, channels]. */
function meanOverBatch(means: Tensor4D, batch: number): Tensor2D {
  const [count, , , channels] = means.shape;
  const pooled = meanOf(rank4(means, [count / batch, batch, 1, channels]));
  return reshape(pooled, [count / batch, channels]);
}

/** Mean over height and width by pooling: tfjs's own sum transposes first, which takes ten times as long. */
function meanOf(x: Tensor4D): Tensor4D {
  const [, height, width] = x.shape;
  return height * width === 1 ? x : avgPool(x, [height, width], 1, 'valid'); // [n, 1, 1, c]
}

/** Selects the rows that belong to taps, in their order. With stride 1 these are all rows. */
function pickTaps(means: Tensor2D, rows: TapPlaces, columns: TapPlaces): Tensor2D {
  const phases = rows.stride * columns.stride;
  const order = rows.taps.flatMap((row) =>
    columns.taps.map((column) => {
      const shift = row.shiftIndex * columns.shifts.length + column.shiftIndex;
      return shift * phases + column.phase * rows.stride + row.phase;
    }),
  );
  return phases === 1 ? means : gather(means, order);
}

/**
 * Gradient of a depthwise convolution with respect to its input: a depthwise convolution of dy, with zeros between its
 * pixels for the stride, with the filter rotated by 180°.
 *
 * @param dy - [b, oh, ow, c * multiplier]
 * @param filter - [kernelHeight, kernelWidth, c, multiplier]
 * @returns [b, h, w, c]
 */
export function depthwiseInputGradient(dy: Tensor4D, filter: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  const { batch, rows, columns } = geometry;
  const [height, width, c, multiplier] = filter.shape;
  const spread = spreadPixels(dy, rows.stride, columns.stride);
  const { kept, padding } = inputMargins(spread, geometry);
  const turned = rank4(turnFilter(filter), [height, width, c * multiplier, 1]);
  const separate = depthwiseConv2d(kept, turned, 1, padding, 'NHWC', [rows.dilation, columns.dilation]);
  if (multiplier === 1) return separate; // [b, h, w, c]
  const grouped = reshape(separate, [batch * rows.input * columns.input * c, multiplier]);
  return rank4(sum(grouped, 1), [batch, rows.input, columns.input, c]);
}
