// Convolutions on the module against tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { memoryOf } from '../../../src/engines/kernels/wasmHeap.ts';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { onCpu, onModule, startModule, type Call } from './onModule.ts';

type Padding = 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];

interface Case {
  readonly x: readonly [batch: number, height: number, width: number, channels: number];
  readonly kernel: readonly [height: number, width: number];
  readonly filters: number;
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

const explicit: Padding = [[0, 0], [1, 2], [0, 3], [0, 0]]; // prettier-ignore

function convolution({ x, kernel, filters, ...attributes }: Case): Call {
  return {
    kernel: 'Conv2D',
    inputs: () => ({ x: seeded([...x], 1), filter: seeded([...kernel, x[3], filters], 2) }),
    attributes: { dataFormat: 'NHWC', dilations: 1, ...attributes },
  };
}

async function expectLikeCpu(calls: readonly Call[]): Promise<void> {
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(relativeDifference(data, expected[i]!.data), JSON.stringify(calls[i]!.attributes)).toBeLessThan(2e-6);
  }
}

const kernels = [[1, 1], [2, 2], [3, 3], [5, 5], [1, 3], [4, 1], [7, 2]] as const; // prettier-ignore
const channels = [1, 3, 4, 70, 9] as const;
const filters = [1, 5, 8, 16, 11] as const;

test('kernels, strides and padding, with numbers of channels that are not multiples of 4', async () => {
  const cases = kernels.flatMap((kernel, k) =>
    ([1, 2, 3, [2, 1]] satisfies Case['strides'][]).flatMap((strides, s) =>
      (['same', 'valid', explicit] satisfies Padding[]).map((pad, p): Case => {
        const i = (k + s + p) % 5;
        return { x: [1 + (i % 2), 9, 8 + i, channels[i]!], kernel, filters: filters[(i + s) % 5]!, strides, pad };
      }),
    ),
  );
  await expectLikeCpu(cases.map(convolution));
});

test('dilation', async () => {
  const dilated: Case[] = [2, 3, [1, 2] as [number, number], [2, 1] as [number, number]].flatMap((dilations) =>
    (['same', 'valid', explicit] satisfies Padding[]).map((pad, i): Case => {
      return { x: [2, 11, 10, channels[i]!], kernel: [3, 3], filters: 6, strides: 1, dilations, pad };
    }),
  );
  await expectLikeCpu(dilated.map(convolution));
});

test('one pixel, kernels larger than the picture, wide padding, rounding', async () => {
  const wide: Padding = [[0, 0], [6, 0], [5, 7], [0, 0]]; // prettier-ignore
  const cases: Case[] = [
    { x: [1, 1, 1, 3], kernel: [3, 3], filters: 2, strides: 1, pad: 'same' },
    { x: [1, 2, 3, 2], kernel: [7, 7], filters: 9, strides: 2, pad: 'same' },
    { x: [2, 3, 4, 2], kernel: [3, 3], filters: 4, strides: 1, pad: wide },
    { x: [2, 3, 4, 80], kernel: [3, 3], filters: 4, strides: 2, pad: wide },
    { x: [2, 8, 8, 3], kernel: [3, 3], filters: 4, strides: 2, pad: 1, dimRoundingMode: 'floor' },
    { x: [2, 8, 8, 3], kernel: [3, 3], filters: 4, strides: 2, pad: 1, dimRoundingMode: 'ceil' },
    { x: [1, 8, 9, 3], kernel: [1, 1], filters: 4, strides: 2, pad: 2, dimRoundingMode: 'ceil' },
  ];
  await expectLikeCpu(cases.map(convolution));
});

test('sizes that make many tasks', async () => {
  const cases: Case[] = [
    { x: [2, 40, 41, 16], kernel: [1, 1], filters: 33, strides: 1, pad: 'valid' },
    { x: [3, 23, 31, 3], kernel: [3, 3], filters: 32, strides: 2, pad: 'same' },
    { x: [2, 17, 16, 64], kernel: [3, 3], filters: 24, strides: 1, pad: 'same' },
    { x: [2, 7, 7, 200], kernel: [3, 3], filters: 130, strides: 1, pad: 'same' },
  ];
  await expectLikeCpu(cases.map(convolution));
});

test('bias and activation', async () => {
  const calls = ['linear', 'relu', 'relu6', 'leakyrelu'].map((activation): Call => {
    const inputs = () => ({
      x: tf.mul(seeded([2, 7, 6, 5], 1), 4),
      filter: tf.mul(seeded([3, 3, 5, 13], 2), 2),
      bias: seeded([13], 3),
    });
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1, activation, leakyreluAlpha: 0.2 };
    return { kernel: 'FusedConv2D', inputs, attributes };
  });
  await expectLikeCpu(calls);
});

test('memory is reused', async () => {
  const { backend } = await startModule(2);
  tf.tidy(() => {
    const x = seeded<tf.Rank.R4>([2, 20, 20, 40], 1);
    const filter = seeded<tf.Rank.R4>([3, 3, 40, 50], 2);
    const step = () => tf.grads((a, b) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'))([x, filter]);
    tf.dispose(step());
    const { byteLength } = memoryOf(backend).buffer;
    for (let i = 0; i < 100; i++) tf.dispose(step());
    expect(memoryOf(backend).buffer.byteLength).toBe(byteLength);
  });
});

test('no pictures', async () => {
  const empty = await onModule([convolution({ x: [0, 5, 5, 3], kernel: [3, 3], filters: 2, strides: 1, pad: 'same' })]);
  expect(empty).toEqual([{ shape: [0, 5, 5, 2], data: new Float32Array() }]);
});

test('tfjs runs unsupported calls', async () => {
  await startModule(1);
  tf.tidy(() => {
    const x = seeded<tf.Rank.R4>([1, 4, 4, 2], 1);
    const filter = seeded<tf.Rank.R4>([1, 1, 2, 3], 2);
    const convolved = tf.conv2d(x, filter, 1, 'same');
    const bent = tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', activation: 'elu' });
    expect(relativeDifference(bent.dataSync(), tf.elu(convolved).dataSync())).toBeLessThan(1e-6);
    expect(() => tf.conv2d(x, seeded<tf.Rank.R4>([1, 1, 4, 3], 2), 1, 'same', 'NCHW')).toThrow('channelsFirst');
  });
});
