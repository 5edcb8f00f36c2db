// Depthwise convolutions by definition: plain loops over plain arrays, and calls of tfjs's kernels for the same.
import * as tf from '@tensorflow/tfjs-core';
import { seeded, values } from '../backends/compare.ts';
import type { Call } from './onModule.ts';

export type Padding =
  'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];

/** A depthwise convolution with one filter for each channel. */
export interface Depthwise {
  readonly x: readonly [batch: number, height: number, width: number, channels: number];
  readonly kernel: readonly [height: number, width: number];
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Sizes, as tfjs computes them. */
function infoOf({ x, kernel, strides, pad, dilations, dimRoundingMode }: Depthwise): tf.backend_util.Conv2DInfo {
  const filter: [number, number, number, number] = [...kernel, x[3], 1];
  return tf.backend_util.computeConv2DInfo([...x], filter, strides, dilations ?? 1, pad, dimRoundingMode, true);
}

/** The calls of the convolution, of its gradient by the input and of its gradient by the filter. */
export function callsOf(each: Depthwise): [forward: Call, input: Call, filter: Call] {
  const { x, kernel, strides, pad, dilations = 1, dimRoundingMode } = each;
  const attributes = { strides, pad, dilations, dimRoundingMode, dataFormat: 'NHWC' };
  const filterShape = [...kernel, x[3], 1];
  const filter = () => seeded(filterShape, 2);
  const input = () => seeded([...x], 1);
  const dy = () => seeded(infoOf(each).outShape, 3);
  return [
    { kernel: 'DepthwiseConv2dNative', inputs: () => ({ x: input(), filter: filter() }), attributes },
    {
      kernel: 'DepthwiseConv2dNativeBackpropInput',
      inputs: () => ({ dy: dy(), filter: filter() }),
      attributes: { ...attributes, inputShape: [...x] },
    },
    {
      kernel: 'DepthwiseConv2dNativeBackpropFilter',
      inputs: () => ({ x: input(), dy: dy() }),
      attributes: { ...attributes, filterShape },
    },
  ];
}

/** What the three calls give. */
export function expectedOf(each: Depthwise): [forward: Float64Array, input: Float64Array, filter: Float64Array] {
  const info = infoOf(each);
  const [batch, height, width, channels] = each.x;
  const [kernelHeight, kernelWidth] = each.kernel;
  const x = values(batch * height * width * channels, 1);
  const filter = values(kernelHeight * kernelWidth * channels, 2);
  const dy = values(tf.util.sizeFromShape(info.outShape), 3);
  const results: [Float64Array, Float64Array, Float64Array] = [
    new Float64Array(dy.length),
    new Float64Array(x.length),
    new Float64Array(filter.length),
  ];
  eachProduct(info, (input, tap, output) => {
    results[0][output]! += x[input]! * filter[tap]!;
    results[1][input]! += dy[output]! * filter[tap]!;
    results[2][tap]! += dy[output]! * x[input]!;
  });
  return results;
}

/** Calls `visit` with the flat indices of input, filter and output of every product. */
function eachProduct(
  info: tf.backend_util.Conv2DInfo,
  visit: (input: number, filter: number, output: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const output = tf.util.sizeFromShape([batchSize, outHeight, outWidth]);
  for (let place = 0; place < output; place++) {
    const column = place % outWidth;
    const row = Math.floor(place / outWidth) % outHeight;
    const picture = Math.floor(place / outWidth / outHeight);
    for (let tap = 0; tap < filterHeight * filterWidth; tap++) {
      const down = Math.floor(tap / filterWidth) * info.dilationHeight;
      const right = (tap % filterWidth) * info.dilationWidth;
      const y = row * info.strideHeight + down - info.padInfo.top;
      const x = column * info.strideWidth + right - info.padInfo.left;
      if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) continue;
      const input = ((picture * inHeight + y) * inWidth + x) * inChannels;
      for (let c = 0; c < inChannels; c++) visit(input + c, tap * inChannels + c, place * inChannels + c);
    }
  }
}
