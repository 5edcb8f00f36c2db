// Gradients of convolutions on the module against their definition: plain loops over every product of the convolution.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { relativeDifference, values } from '../backends/compare.ts';
import { onModule, type Call } from './onModule.ts';

type Padding = 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];

interface Case {
  readonly x: [batch: number, height: number, width: number, channels: number];
  readonly kernel: readonly [height: number, width: number];
  readonly filters: number;
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

const explicit: Padding = [[0, 0], [1, 2], [0, 3], [0, 0]]; // prettier-ignore
const kernels = [[1, 1], [2, 2], [3, 3], [5, 5], [1, 3], [4, 1], [7, 2]] as const; // prettier-ignore
const channels = [1, 3, 4, 18, 9] as const;
const filters = [1, 5, 8, 16, 11] as const;

const cases: Case[] = [
  ...kernels.flatMap((kernel, k) =>
    ([1, 2, 3, [2, 1]] satisfies Case['strides'][]).flatMap((strides, s) =>
      (['same', 'valid', explicit] satisfies Padding[]).map((pad, p): Case => {
        const i = (k + s + p) % 5;
        return { x: [1 + (i % 2), 9, 8 + i, channels[i]!], kernel, filters: filters[(i + s) % 5]!, strides, pad };
      }),
    ),
  ),
  // tfjs-core's gradients refuse dilation together with strides; the kernels do not.
  ...[2, 3, [1, 2] as [number, number]].flatMap((dilations) =>
    [1, 2, 3].flatMap((strides, i): Case[] => [
      { x: [2, 11, 10, channels[i]!], kernel: [3, 3], filters: 6, strides, dilations, pad: 'same' },
      { x: [1, 9, 12, 7], kernel: [2, 4], filters: 6, strides, dilations, pad: explicit },
    ]),
  ),
];

const special: Case[] = [
  { x: [1, 1, 1, 3], kernel: [3, 3], filters: 2, strides: 1, pad: 'same' },
  { x: [1, 2, 3, 2], kernel: [7, 7], filters: 9, strides: 2, pad: 'same' },
  { x: [2, 8, 8, 3], kernel: [3, 3], filters: 4, strides: 2, pad: 1, dimRoundingMode: 'floor' },
  { x: [2, 8, 8, 3], kernel: [3, 3], filters: 4, strides: 2, pad: 1, dimRoundingMode: 'ceil' },
  // prettier-ignore
  { x: [2, 3, 4, 40], kernel: [3, 3], filters: 4, strides: 2, pad: [[0, 0], [6, 0], [5, 7], [0, 0]] },
  { x: [1, 2, 2, 3], kernel: [1, 1], filters: 4, strides: 5, pad: 'valid' },
  { x: [0, 5, 5, 3], kernel: [3, 3], filters: 4, strides: 1, pad: 'same' },
];

const large: Case[] = [
  { x: [2, 40, 41, 16], kernel: [1, 1], filters: 33, strides: 1, pad: 'valid' },
  { x: [3, 45, 31, 3], kernel: [3, 3], filters: 32, strides: 2, pad: 'same' },
  { x: [2, 17, 16, 40], kernel: [3, 3], filters: 24, strides: 1, pad: 'same' },
  { x: [2, 7, 7, 130], kernel: [3, 3], filters: 140, strides: 1, pad: 'same' },
  { x: [1, 6, 7, 1024], kernel: [1, 1], filters: 13, strides: 1, pad: 'same' },
  { x: [2, 7, 8, 512], kernel: [3, 3], filters: 5, strides: 2, pad: 'same' },
  { x: [1, 20, 20, 300], kernel: [1, 1], filters: 90, strides: 2, pad: 'same' },
];

/** The numbers of a case by definition, and the calls of the kernels. */
function gradientsOf(each: Case) {
  const { x: inputShape, kernel, filters: results, strides, pad, dilations = 1, dimRoundingMode } = each;
  const filterShape: Case['x'] = [...kernel, inputShape[3], results];
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, dilations, pad, dimRoundingMode);
  const [x, filter, dy] = [tensor(inputShape, 1), tensor(filterShape, 2), tensor(info.outShape, 3)];
  const byInput = new Float64Array(x.data.length);
  const byFilter = new Float64Array(filter.data.length);
  eachProduct(info, (i, f, o) => {
    byInput[i]! += dy.data[o]! * filter.data[f]!;
    byFilter[f]! += dy.data[o]! * x.data[i]!;
  });
  const tensors = (parts: Record<string, Tensor>) => () =>
    Object.fromEntries(Object.entries(parts).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]));
  const attributes = { strides, pad, dilations, dimRoundingMode, dataFormat: 'NHWC' };
  return {
    byInput: { shape: inputShape, data: byInput },
    byFilter: { shape: filterShape, data: byFilter },
    inputCall: call('Conv2DBackpropInput', tensors({ dy, filter }), { ...attributes, inputShape }),
    filterCall: call('Conv2DBackpropFilter', tensors({ x, dy }), { ...attributes, filterShape }),
  };
}

interface Tensor {
  readonly shape: number[];
  readonly data: Float32Array;
}

function tensor(shape: number[], seed: number): Tensor {
  return { shape, data: values(tf.util.sizeFromShape(shape), seed) };
}

function call(kernel: string, inputs: Call['inputs'], attributes: Call['attributes']): Call {
  return { kernel, inputs, attributes };
}

/** Calls `visit` with the flat indices of input, filter and output of every product in the convolution. */
function eachProduct(
  c: tf.backend_util.Conv2DInfo,
  visit: (input: number, filter: number, output: number) => void,
): void {
  const indices = (size: number) => Array.from({ length: size }, (_, i) => i);
  for (const output of indices(c.batchSize * c.outHeight * c.outWidth))
    for (const tap of indices(c.filterHeight * c.filterWidth)) {
      const x = (output % c.outWidth) * c.strideWidth + (tap % c.filterWidth) * c.dilationWidth - c.padInfo.left;
      const line = Math.floor(output / c.outWidth);
      const tapRow = Math.floor(tap / c.filterWidth);
      const y = (line % c.outHeight) * c.strideHeight + tapRow * c.dilationHeight - c.padInfo.top;
      if (x < 0 || x >= c.inWidth || y < 0 || y >= c.inHeight) continue;
      const pixel = (Math.floor(line / c.outHeight) * c.inHeight + y) * c.inWidth + x;
      for (let i = 0; i < c.inChannels; i++)
        for (let o = 0; o < c.outChannels; o++) {
          visit(pixel * c.inChannels + i, (tap * c.inChannels + i) * c.outChannels + o, output * c.outChannels + o);
        }
    }
}

const groups = { 'kernels, strides, padding, dilation': cases, 'special cases': special, 'many tasks': large };

test.each(Object.entries(groups))('with respect to the input: %s', async (_, group) => {
  const gradients = group.map(gradientsOf);
  const results = await onModule(gradients.map(({ inputCall }) => inputCall));
  for (const [i, { shape, data }] of results.entries()) {
    const { byInput } = gradients[i]!;
    expect(shape).toEqual(byInput.shape);
    expect(relativeDifference(data, byInput.data), JSON.stringify(group[i])).toBeLessThan(2e-6);
  }
});

test.each(Object.entries(groups))('with respect to the filter: %s', async (_, group) => {
  const gradients = group.map(gradientsOf);
  const results = await onModule(gradients.map(({ filterCall }) => filterCall));
  for (const [i, { shape, data }] of results.entries()) {
    const { byFilter } = gradients[i]!;
    expect(shape).toEqual(byFilter.shape);
    expect(relativeDifference(data, byFilter.data), JSON.stringify(group[i])).toBeLessThan(2e-6);
  }
});
