// LayerNormalization as one kernel, and its gradients as another, against sums in double precision.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { relativeDifference, seeded, values } from '../backends/compare.ts';
import { onModule } from './onModule.ts';

const shapes = [
  [1, 1],
  [3, 4],
  [2, 7],
  [5, 2, 3, 17],
  [2, 9, 9, 96],
  [300, 770],
  [1, 1, 3000],
];
const epsilon = 1e-6;
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Values around 5, of different sizes from row to row. */
function input(shape: number[], seed: number): Float32Array {
  const channels = shape.at(-1)!;
  return values(size(shape), seed).map((value, i) => 5 + value * (1 + (Math.floor(i / channels) % 7)));
}

/** Mean and 1 / deviation of a row. */
function momentsOf(row: readonly number[]): [number, number] {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return [mean, 1 / Math.sqrt(variance + epsilon)];
}

function rowsOf(list: Float32Array, channels: number): number[][] {
  return Array.from({ length: list.length / channels }, (_, i) => [...list.subarray(i * channels, (i + 1) * channels)]);
}

const weights = [{}, { gamma: 3 }, { beta: 4 }, { gamma: 3, beta: 4 }] as const;
const cases = shapes.flatMap((shape, i) =>
  weights.map((given: { gamma?: number; beta?: number }) => ({ shape, given, i })),
);

test('each row with its own mean and deviation, with and without gamma and beta', async () => {
  const calls = cases.map(({ shape, given, i }) => ({
    kernel: 'TransferkitLayerNorm',
    inputs: () => ({
      x: tf.tensor(input(shape, i), shape),
      ...Object.fromEntries(Object.entries(given).map(([name, seed]) => [name, seeded(shape.slice(-1), seed)])),
    }),
    attributes: { epsilon },
  }));
  for (const [index, { shape, data }] of (await onModule(calls)).entries()) {
    const { given, i } = cases[index]!;
    const channels = shape.at(-1)!;
    const gamma = given.gamma === undefined ? undefined : values(channels, given.gamma);
    const beta = given.beta === undefined ? undefined : values(channels, given.beta);
    const expected = rowsOf(input(shape, i), channels).flatMap((row) => {
      const [mean, inverse] = momentsOf(row);
      return row.map((value, c) => (value - mean) * inverse * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0));
    });
    expect(relativeDifference(data, expected), `${String(shape)} ${JSON.stringify(given)}`).toBeLessThan(3e-6);
  }
});

test('gradients for the input, gamma and beta', async () => {
  const given = shapes.flatMap((shape, i) => [true, false].map((scales) => ({ shape, i, scales })));
  const calls = given.map(({ shape, i, scales }) => ({
    kernel: 'TransferkitLayerNormGradient',
    inputs: () => ({
      x: tf.tensor(input(shape, i), shape),
      dy: seeded(shape, i + 20),
      ...(scales ? { gamma: seeded(shape.slice(-1), 3) } : {}),
    }),
    attributes: { epsilon },
  }));
  for (const [index, { data, further }] of (await onModule(calls)).entries()) {
    const { shape, i, scales } = given[index]!;
    if (size(shape) === 1) continue; // The gradient is 0 up to rounding.
    const channels = shape.at(-1)!;
    const gamma = scales ? values(channels, 3) : undefined;
    const dys = rowsOf(values(size(shape), i + 20), channels);
    const sums = new Float64Array(2 * channels);
    const expected = rowsOf(input(shape, i), channels).flatMap((row, r) => {
      const [mean, inverse] = momentsOf(row);
      const normal = row.map((value) => (value - mean) * inverse);
      const g = dys[r]!.map((dy, c) => dy * (gamma?.[c] ?? 1));
      dys[r]!.forEach((dy, c) => {
        sums[c]! += dy * normal[c]!;
        sums[channels + c]! += dy;
      });
      const average = g.reduce((a, b) => a + b, 0) / channels;
      const along = g.reduce((sum, each, c) => sum + each * normal[c]!, 0) / channels;
      return g.map((each, c) => (each - average - normal[c]! * along) * inverse);
    });
    expect(relativeDifference(data, expected), String(shape)).toBeLessThan(3e-6);
    expect(further![0]!.shape).toEqual([2, channels]);
    expect(relativeDifference(further![0]!.data, sums), String(shape)).toBeLessThan(3e-6);
  }
});

test('NaN stays in its row, and a row with infinity becomes NaN', async () => {
  const [normal] = await onModule([
    {
      kernel: 'TransferkitLayerNorm',
      inputs: () => ({ x: tf.tensor2d([1, 2, NaN, 4, 5, 6, 1, Infinity, 3], [3, 3]) }),
      attributes: { epsilon },
    },
  ]);
  expect([...normal!.data].map(Number.isNaN)).toEqual([true, true, true, false, false, false, true, true, true]);
});
