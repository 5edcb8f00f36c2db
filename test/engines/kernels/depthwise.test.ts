// Depthwise convolutions on the module, and their gradients, against plain loops and tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { callsOf, expectedOf, type Depthwise, type Padding } from './depthwiseReference.ts';
import { onCpu, onModule, startModule, type Call } from './onModule.ts';

const explicit: Padding = [[0, 0], [1, 2], [0, 3], [0, 0]]; // prettier-ignore
const paddings: Padding[] = ['same', 'valid', explicit];
const names = ['forward', 'by the input', 'by the filter'];

/** The convolution and both of its gradients. */
async function expectLikeLoops(cases: readonly Depthwise[]): Promise<void> {
  const results = await onModule(cases.flatMap((each) => callsOf(each)));
  const failures = cases.flatMap((each, i) =>
    expectedOf(each).flatMap((expected, call) => {
      const difference = relativeDifference(results[i * 3 + call]!.data, expected);
      return difference < 2e-6 ? [] : [`${names[call]!} of ${JSON.stringify(each)}: ${difference}`];
    }),
  );
  expect(failures).toEqual([]);
}

test('kernels, strides and padding, with numbers of channels that are not multiples of 4', async () => {
  const channels = [1, 3, 4, 70, 9, 16];
  const kernels = [[1, 1], [2, 2], [3, 3], [5, 5], [7, 7], [1, 3], [4, 1], [7, 2]] as const; // prettier-ignore
  const cases = kernels.flatMap((kernel, k) =>
    ([1, 2, 3, [2, 1], [1, 3]] satisfies Depthwise['strides'][]).flatMap((strides, s) =>
      paddings.map((pad, p): Depthwise => {
        const i = (k + 2 * s + p) % channels.length;
        return { x: [1 + (i % 2), 10 + (s % 2), 8 + i, channels[i]!], kernel, strides, pad };
      }),
    ),
  );
  await expectLikeLoops(cases);
});

test('dilation, with strides too', async () => {
  const pairs = [[1, 2], [2, 1], [2, 2], [3, 3], [4, 2], [2, 4], [3, 2], [2, 3]] as const; // prettier-ignore
  const cases = pairs.flatMap(([strides, dilations], i) =>
    paddings.map((pad, p): Depthwise => {
      return { x: [2, 13, 15, [5, 1, 8][(i + p) % 3]!], kernel: [3, 3], strides, pad, dilations };
    }),
  );
  const uneven: Depthwise = { x: [1, 12, 17, 6], kernel: [3, 5], strides: [1, 2], pad: 'same', dilations: [2, 3] };
  await expectLikeLoops([...cases, uneven]);
});

test('one pixel, kernels larger than the picture, wide padding, rounding, strides over the kernel', async () => {
  const wide: Padding = [[0, 0], [6, 0], [5, 7], [0, 0]]; // prettier-ignore
  await expectLikeLoops([
    { x: [1, 1, 1, 3], kernel: [3, 3], strides: 1, pad: 'same' },
    { x: [1, 2, 3, 2], kernel: [7, 7], strides: 2, pad: 'same' },
    { x: [2, 3, 4, 6], kernel: [3, 3], strides: 1, pad: wide },
    { x: [2, 3, 4, 80], kernel: [3, 3], strides: 2, pad: wide },
    { x: [2, 8, 8, 5], kernel: [3, 3], strides: 2, pad: 1, dimRoundingMode: 'floor' },
    { x: [2, 8, 8, 5], kernel: [3, 3], strides: 2, pad: 1, dimRoundingMode: 'ceil' },
    { x: [1, 8, 9, 4], kernel: [1, 1], strides: 2, pad: 2, dimRoundingMode: 'ceil' },
    { x: [1, 17, 19, 4], kernel: [2, 3], strides: [7, 16], pad: 'valid' },
    { x: [1, 9, 22, 6], kernel: [5, 3], strides: [1, 2], pad: 1, dimRoundingMode: 'floor' },
  ]);
});

test('sizes that make many tasks', async () => {
  await expectLikeLoops([
    { x: [2, 41, 40, 32], kernel: [3, 3], strides: 1, pad: 'same' },
    { x: [3, 40, 37, 30], kernel: [3, 3], strides: 2, pad: 'same' },
    { x: [16, 7, 7, 200], kernel: [5, 5], strides: 1, pad: 'same' },
    { x: [70, 4, 4, 65], kernel: [3, 3], strides: 1, pad: 'valid' },
  ]);
});

test('agree with the cpu backend', async () => {
  // prettier-ignore
  const calls = paddings.flatMap((pad) => [1, 2].flatMap((strides) => callsOf({ x: [2, 9, 8, 6], kernel: [3, 3], strides, pad })));
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(relativeDifference(data, expected[i]!.data), calls[i]!.kernel).toBeLessThan(2e-6);
  }
});

test('bias and activation', async () => {
  const attributes = { strides: 1, pad: 'same', dilations: [1, 1], dataFormat: 'NHWC' };
  const calls = [3, 5, 8].flatMap((channels) =>
    ['linear', 'relu', 'relu6'].map((activation): Call => {
      const inputs = () => ({
        x: tf.mul(seeded([2, 7, 6, channels], 1), 4),
        filter: tf.mul(seeded([3, 3, channels, 1], 2), 2),
        bias: seeded([channels], 3),
      });
      return { kernel: 'FusedDepthwiseConv2D', inputs, attributes: { ...attributes, activation } };
    }),
  );
  const expected = await onCpu(calls);
  for (const [i, { data }] of (await onModule(calls)).entries()) {
    expect(relativeDifference(data, expected[i]!.data), JSON.stringify(calls[i])).toBeLessThan(2e-6);
  }
});

test('NaN stays NaN, and affects only outputs that read it', async () => {
  await startModule(1);
  const x = tf.ones([1, 8, 8, 5]).arraySync() as number[][][][];
  x[0]![3]![3]![4] = NaN;
  const found = tf.tidy(() => {
    const y = tf.fused.depthwiseConv2d({
      x: tf.tensor4d(x),
      filter: tf.ones([3, 3, 5, 1]),
      strides: 1,
      pad: 'same',
      activation: 'relu6',
    });
    return tf.sum(tf.cast(tf.isNaN(y), 'int32')).dataSync()[0];
  });
  expect(found).toBe(9);
});

test('tfjs runs unsupported calls', async () => {
  const run = async (): Promise<Float32Array[]> => {
    const results = tf.tidy(() =>
      (
        [
          ['elu', 1],
          ['leakyrelu', 1],
          ['sigmoid', 1],
          ['relu', 2],
        ] as const
      ).map(([activation, multiplier]) =>
        tf.fused.depthwiseConv2d({
          ...{ x: seeded<tf.Rank.R4>([2, 6, 7, 5], 1), filter: seeded<tf.Rank.R4>([3, 3, 5, multiplier], 2) },
          ...{ bias: seeded([5 * multiplier], 3), strides: 1, pad: 'same', activation, leakyreluAlpha: 0.25 },
        }),
      ),
    );
    const data = await Promise.all(results.map((result) => result.data<'float32'>()));
    tf.dispose(results);
    return data;
  };
  await startModule(2);
  const received = await run();
  await tf.setBackend('cpu');
  for (const [i, expected] of (await run()).entries()) {
    expect(relativeDifference(received[i]!, expected)).toBeLessThan(2e-6);
  }
});
