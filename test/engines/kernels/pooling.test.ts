// Pooling and its gradients on the module against tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { relativeDifference, seeded } from '../backends/compare.ts';
import { onCpu, onModule, startModule, type Call } from './onModule.ts';

interface Pooling {
  readonly x: [number, number, number, number];
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid' | number | [number, number][];
}

const margins: [number, number][] = [
  [0, 0],
  [1, 2],
  [2, 0],
  [0, 0],
];
const channels = [1, 3, 4, 5, 16, 17, 35];
const sizes = [1, 2, 3, 4];

const poolings: readonly Pooling[] = [
  ...sizes.flatMap((height, i) =>
    sizes.flatMap((stride, j) => {
      const x: Pooling['x'] = [1 + (i % 2), 7 + i, 6 + j, channels[(3 * i + j) % channels.length]!];
      const size = { x, filterSize: [height, sizes[(i + j) % 4]!], strides: [stride, sizes[(j + 1) % 4]!] } as const;
      return (['same', 'valid'] as const).map((pad) => ({ ...size, filterSize: [...size.filterSize], pad }));
    }),
  ),
  { x: [2, 8, 9, 6], filterSize: [3, 3], strides: [2, 2], pad: 1 },
  { x: [2, 8, 9, 6], filterSize: [3, 4], strides: [2, 1], pad: margins },
  { x: [1, 5, 5, 8], filterSize: [5, 5], strides: [1, 1], pad: 'valid' },
  { x: [3, 40, 41, 20], filterSize: [3, 3], strides: [2, 2], pad: 'same' },
  { x: [2, 30, 30, 33], filterSize: [3, 3], strides: [1, 1], pad: 'same' },
].map((pooling) => pooling as Pooling);

/** Values of which many are equal. */
function coarse(shape: number[]): tf.Tensor {
  return tf.round(tf.mul(seeded(shape, 1), 4));
}

function outputOf({ x, filterSize, strides, pad }: Pooling): number[] {
  const { outShape } = tf.backend_util.computePool2DInfo(x, filterSize, strides, 1, pad as 'same');
  return outShape;
}

function calls(kernel: string, inputs: (pooling: Pooling) => tf.NamedTensorMap): Call[] {
  return poolings.map((pooling) => {
    const { filterSize, strides, pad } = pooling;
    return { kernel, inputs: () => inputs(pooling), attributes: { filterSize, strides, pad } };
  });
}

async function expectLikeCpu(all: readonly Call[], tolerance: number): Promise<void> {
  const expected = await onCpu(all);
  for (const [i, { shape, data }] of (await onModule(all)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    const name = JSON.stringify(all[i]!.attributes);
    expect(relativeDifference(data, expected[i]!.data), name).toBeLessThanOrEqual(tolerance);
  }
}

test('MaxPool', async () => {
  await expectLikeCpu(
    calls('MaxPool', ({ x }) => ({ x: seeded(x, 1) })),
    0,
  );
});

test('AvgPool ignores the padding', async () => {
  await expectLikeCpu(
    calls('AvgPool', ({ x }) => ({ x: seeded(x, 1) })),
    1e-6,
  );
});

test('AvgPoolGrad', async () => {
  const inputs = (pooling: Pooling) => ({ dy: seeded(outputOf(pooling), 2), input: seeded(pooling.x, 1) });
  await expectLikeCpu(calls('AvgPoolGrad', inputs), 1e-6);
});

test('MaxPoolGrad goes to the first of equal values', async () => {
  const inputs = (pooling: Pooling) => {
    const { filterSize, strides, pad } = pooling;
    const input = coarse(pooling.x) as tf.Tensor4D;
    return { dy: seeded(outputOf(pooling), 2), input, output: tf.maxPool(input, filterSize, strides, pad as 'same') };
  };
  await expectLikeCpu(calls('MaxPoolGrad', inputs), 1e-6);
});

test('dimRoundingMode applies to partial windows', async () => {
  const attributes = { filterSize: [3, 3], strides: [2, 2], pad: 1, dimRoundingMode: 'ceil' };
  const inputs = () => ({ x: seeded([1, 6, 6, 5], 1) });
  await expectLikeCpu([{ kernel: 'MaxPool', inputs, attributes }], 0);
});

test('the gradient of averages, which tfjs requests without dimRoundingMode', async () => {
  const attributes = { filterSize: [3, 3], strides: [2, 2], pad: 1 };
  const inputs = () => ({ dy: tf.ones([1, 4, 4, 1]), input: tf.ones([1, 6, 6, 1]) });
  const [result] = await onModule([{ kernel: 'AvgPoolGrad', inputs, attributes }]);
  const windows = [1, 2, 1, 2, 1, 2];
  const expected = windows.flatMap((rows) => windows.map((columns) => (rows * columns) / 9));
  expect(relativeDifference(result!.data, expected)).toBeLessThan(1e-6);
});

describe('central differences', () => {
  test.each([
    ['maxPool', 'valid', undefined],
    ['maxPool', 1, 'ceil'],
    ['avgPool', 'valid', undefined],
  ] as const)('%s, pad %s, rounded %s', async (name, pad, rounding) => {
    await startModule(2);
    tf.tidy(() => {
      // Distinct values, so that no step changes which is the largest.
      const x = tf.reshape<tf.Rank.R4>(tf.mul(tf.cos(tf.range(0, 150)), 8), [1, 5, 6, 5]);
      const loss = (each: tf.Tensor) => {
        const y = tf[name](each as tf.Tensor4D, [3, 2], [2, 1], pad, rounding);
        return tf.sum(tf.mul(y, tf.sin(tf.reshape(tf.range(0, y.size), y.shape))));
      };
      const gradient = tf.grad(loss)(x).dataSync();
      const values = x.dataSync();
      const numeric = Array.from(values, (_, i) => {
        const at = (step: number) => {
          const moved = values.map((value, j) => (i === j ? value + step : value));
          return loss(tf.tensor4d(moved, x.shape)).dataSync()[0]!;
        };
        return (at(0.03125) - at(-0.03125)) / 0.0625;
      });
      expect(relativeDifference(gradient, numeric)).toBeLessThan(2e-3);
    });
  });
});
