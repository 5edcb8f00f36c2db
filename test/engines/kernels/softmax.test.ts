// Softmax as one kernel, and its gradient as another, against sums in double precision and tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { softmaxMakers } from '../../../src/engines/kernels/softmax.ts';
import { useBackend } from '../../../src/useBackend.ts';
import { relativeDifference, seeded, values } from '../backends/compare.ts';
import { onCpu, onModule, startModule, type Call } from './onModule.ts';

const shapes = [[1], [3, 1], [3, 4], [2, 7], [5, 2, 3, 17], [2, 3, 197, 197], [1500, 66], [3, 5001], [1, 200_003]];
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Values whose spread grows from row to row, up to -90 … 90 around 300. */
function input(shape: number[], seed: number): Float32Array {
  const channels = shape.at(-1)!;
  return values(size(shape), seed).map((value, i) => 300 + value * (1 + ((Math.floor(i / channels) * 13) % 90)));
}

function rowsOf(list: Float32Array, channels: number): number[][] {
  return Array.from({ length: list.length / channels }, (_, i) => [...list.subarray(i * channels, (i + 1) * channels)]);
}

function expectedRow(row: readonly number[]): number[] {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const powers = row.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

function softmax(logits: () => tf.Tensor): Call {
  return { kernel: 'Softmax', inputs: () => ({ logits: logits() }), attributes: { dim: logits().rank - 1 } };
}

test('the powers of each row, divided by their sum', async () => {
  const calls = shapes.map((shape, i) => ({
    kernel: 'Softmax',
    inputs: () => ({ logits: tf.tensor(input(shape, i), shape) }),
    attributes: { dim: shape.length - 1 },
  }));
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(shapes[i]);
    const channels = shape.at(-1)!;
    const rows = rowsOf(data, channels);
    for (const [r, row] of rowsOf(input(shape, i), channels).entries()) {
      expect(relativeDifference(rows[r]!, expectedRow(row)), String(shape)).toBeLessThan(1e-6);
    }
  }
});

test('gradients', async () => {
  const softmaxOf = (shape: number[], i: number) =>
    Float32Array.from(rowsOf(input(shape, i), shape.at(-1)!).flatMap(expectedRow));
  const given = shapes.map((shape, i) => ({ y: softmaxOf(shape, i), dy: values(size(shape), i + 20) }));
  const calls = shapes.map((shape, i) => ({
    kernel: 'TransferkitSoftmaxGradient',
    inputs: () => ({ y: tf.tensor(given[i]!.y, shape), dy: tf.tensor(given[i]!.dy, shape) }),
    attributes: {},
  }));
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    if (shape.at(-1) === 1) {
      expect(data).toEqual(new Float32Array(size(shape)));
      continue;
    }
    const channels = shape.at(-1)!;
    const dys = rowsOf(given[i]!.dy, channels);
    const expected = rowsOf(given[i]!.y, channels).flatMap((row, r) => {
      const sum = row.reduce((total, y, c) => total + y * dys[r]![c]!, 0);
      return row.map((y, c) => y * (dys[r]![c]! - sum));
    });
    expect(relativeDifference(data, expected), String(shape)).toBeLessThan(1e-6);
  }
});

test('NaN and infinity as on the cpu; what is masked is 0', async () => {
  const rows = [
    [0, NaN, 1, 2, 3, 4, 5, 6, 7],
    [NaN, 0, 1, 2, 3, 4, 5, 6, 7],
    [0, 1, 2, 3, 4, 5, 6, 7, NaN],
    [Infinity, 1, 2, 3, 4, 5, 6, 7, 8],
    [-Infinity, 1, -Infinity, 3, -1e9, 5, 6, 7, -Infinity],
    [0, -88, -200, -3e38, 0, 0, 0, 0, 0],
    new Array<number>(9).fill(-Infinity),
    new Array<number>(9).fill(-3e38),
    new Array<number>(9).fill(3e38),
  ];
  const calls = [softmax(() => tf.tensor2d(rows))];
  const [expected] = await onCpu(calls);
  const [received] = await onModule(calls);
  for (const [i, value] of received!.data.entries()) {
    const wanted = expected!.data[i]!;
    if (Number.isNaN(wanted)) expect(value, String(i)).toBeNaN();
    else expect(Math.abs(value - wanted), String(i)).toBeLessThan(1e-6);
  }
  const masked = [...received!.data.subarray(4 * 9, 5 * 9)];
  expect(masked.map((value) => value === 0)).toEqual([true, false, true, false, true, false, false, false, true]);
});

test('a row has the same bits wherever it is', async () => {
  const row = input([1, 197], 3);
  const [alone] = await onModule([softmax(() => tf.tensor2d(row, [1, 197]))]);
  const [many] = await onModule([softmax(() => tf.tile(tf.tensor2d(row, [1, 197]), [400, 1]))]);
  expect(rowsOf(many!.data, 197).every((each) => each.every((value, i) => value === alone!.data[i]))).toBe(true);
});

test('other axes, types and empty tensors run on the previous kernel', async () => {
  const module = await startModule(1);
  const kernelFunc = vi.fn(() => ({ dataId: {}, shape: [], dtype: 'float32' as const }));
  const own = softmaxMakers[0]!.make(module, { kernelName: 'Softmax', backendName: 'wasm', kernelFunc });
  tf.tidy(() => {
    const calls = [
      { inputs: { logits: tf.ones([2, 3]) }, attrs: { dim: 0 } },
      { inputs: { logits: tf.ones([2, 3], 'int32') }, attrs: { dim: 1 } },
      { inputs: { logits: tf.ones([2, 0]) }, attrs: { dim: 1 } },
    ];
    for (const call of calls) own.kernelFunc({ ...call, backend: module.backend });
    expect(kernelFunc).toHaveBeenCalledTimes(calls.length);
  });
});

test.each([{ kernels: true }, { kernels: false }])(
  'the gradient of tf.softmax, and that of its gradient, kernels: $kernels',
  async (given) => {
    const compute = () =>
      tf.tidy(() => {
        const x = tf.mul(seeded([4, 3, 11], 1), 4);
        const dy = seeded([4, 3, 11], 2);
        const gradient = (by: tf.Tensor) => tf.grad((logits: tf.Tensor) => tf.softmax(logits))(x, by);
        const second = tf.grad((by: tf.Tensor) => tf.sum(tf.square(gradient(by)))); // tfjs has none for x.
        return [gradient(dy), second(dy)].map((each) => each.dataSync<'float32'>().slice());
      });
    await tf.setBackend('cpu');
    const expected = compute();
    await useBackend('wasm', given);
    const before = tf.memory().numTensors;
    const profile = await tf.profile(() => {
      const x = seeded([4, 3, 11], 1);
      const dx = tf.grad((logits: tf.Tensor) => tf.softmax(logits))(x, x);
      x.dispose();
      return dx;
    });
    tf.dispose(profile.result);
    expect(profile.kernelNames.includes('TransferkitSoftmaxGradient')).toBe(given.kernels);
    const received = compute();
    expect(tf.memory().numTensors).toBe(before);
    for (const [i, each] of received.entries()) expect(relativeDifference(each, expected[i]!)).toBeLessThan(2e-6);
  },
);
