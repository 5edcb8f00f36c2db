// Gradients of convolutions on wasm: against tfjs's cpu backend, against plain loops where tfjs has nothing (dilation),
// against central differences; and without a tensor left behind.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend } from '../../../src/useBackend.ts';
import { relativeDifference, seeded } from './compare.ts';
import { eachProduct, outputSize, type Convolution } from './reference.ts';

type Padding = 'same' | 'valid' | [[number, number], [number, number], [number, number], [number, number]];
interface Case {
  readonly depthwise: boolean;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly size: readonly [number, number];
  readonly filters: number;
}

const explicit: Padding = [[0, 0], [1, 2], [0, 1], [0, 0]]; // prettier-ignore
const cases: Case[] = [1, 3, 5, 7].flatMap((kernel) =>
  [1, 2].flatMap((stride) =>
    (['same', 'valid', explicit] satisfies Padding[]).flatMap((padding) =>
      (
        [
          [9, 8],
          [8, 11],
        ] as const
      ).flatMap((size) => [
        // prettier-ignore
        { depthwise: false, kernel, stride, padding, size, filters: 4 },
        { depthwise: true, kernel, stride, padding, size, filters: 1 },
        { depthwise: true, kernel, stride, padding, size, filters: 2 },
      ]),
    ),
  ),
);

const nameOf = ({ depthwise, kernel, stride, padding, size, filters }: Case) =>
  `${depthwise ? `depthwise ×${filters}` : 'full'}, kernel ${kernel}, stride ${stride}, ` +
  `${typeof padding === 'string' ? padding : 'explicit'}, ${size.join('×')}`;

/** Result and gradients on the active backend. */
async function run({ depthwise, kernel, stride, padding, size, filters }: Case): Promise<Float32Array[]> {
  const tensors = tf.tidy(() => {
    const x = seeded<tf.Rank.R4>([2, ...size, 3], 1);
    const filter = seeded<tf.Rank.R4>([kernel, kernel, 3, filters], 2);
    const convolve = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      (depthwise ? tf.depthwiseConv2d : tf.conv2d)(a as tf.Tensor4D, b as tf.Tensor4D, stride, padding);
    const y = convolve(x, filter);
    return [y, ...tf.grads(convolve)([x, filter], seeded(y.shape, 3))];
  });
  const data = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  tf.dispose(tensors);
  return data;
}

beforeAll(async () => {
  tf.env().set('PROD', true); // The cpu backend's greeting.
  await useBackend('wasm');
});

test('agree with the cpu backend', async () => {
  const received: Float32Array[][] = [];
  for (const each of cases) received.push(await run(each));
  await tf.setBackend('cpu');
  const failures = [];
  for (const [index, each] of cases.entries()) {
    const expected = await run(each);
    const differences = expected.map((part, i) => relativeDifference(received[index]![i]!, part));
    if (!differences.every((difference) => difference < 1e-4)) failures.push([nameOf(each), differences]);
  }
  await tf.setBackend('wasm');
  expect(failures).toEqual([]);
  expect(cases.length).toBe(144);
});

test('one pixel, a kernel larger than the picture, padding wider than the kernel', async () => {
  const wide: Padding = [[0, 0], [3, 0], [0, 3], [0, 0]]; // prettier-ignore
  const small: Case[] = [
    { depthwise: true, kernel: 3, stride: 1, padding: 'same', size: [1, 1], filters: 1 },
    { depthwise: true, kernel: 1, stride: 1, padding: 'valid', size: [1, 1], filters: 1 },
    { depthwise: true, kernel: 5, stride: 2, padding: 'same', size: [2, 3], filters: 1 },
    { depthwise: false, kernel: 1, stride: 2, padding: 'same', size: [1, 1], filters: 2 },
    { depthwise: false, kernel: 5, stride: 2, padding: 'same', size: [2, 3], filters: 2 },
    { depthwise: false, kernel: 3, stride: 1, padding: wide, size: [5, 6], filters: 2 },
    { depthwise: true, kernel: 3, stride: 2, padding: wide, size: [6, 5], filters: 2 },
  ];
  for (const each of small) {
    const received = await run(each);
    await tf.setBackend('cpu');
    const expected = await run(each);
    await tf.setBackend('wasm');
    for (const [i, part] of expected.entries()) {
      expect(relativeDifference(received[i]!, part), nameOf(each)).toBeLessThan(1e-4);
    }
  }
});

describe('kernels called directly', () => {
  const dilated: Convolution[] = [false, true].flatMap((depthwise) =>
    [1, 2].flatMap((filters) =>
      [3, 5].flatMap((kernel) =>
        (depthwise ? [1, 2] : [1]).map((stride) => ({
          ...{ batch: 2, height: 11, width: 10, channels: 3, filters, kernel, stride, dilation: 2, depthwise },
          padding: [2, 3, 4, 1] as const,
        })),
      ),
    ),
  );

  test.each(dilated)('dilation 2: %o', (c) => {
    const { byInput, byFilter, x, filter, dy } = byDefinition(c);
    const prefix = c.depthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
    const [top, bottom, left, right] = c.padding;
    const pad = [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore
    const attributes = { strides: c.stride, dilations: c.dilation, pad, dataFormat: 'NHWC' };
    tf.tidy(() => {
      const dFilter = kernel(`${prefix}BackpropFilter`, { x, dy }, { ...attributes, filterShape: filter.shape });
      const dx = kernel(`${prefix}BackpropInput`, { dy, filter }, { ...attributes, inputShape: x.shape });
      expect(relativeDifference(dFilter.dataSync(), byFilter)).toBeLessThan(1e-4);
      expect(relativeDifference(dx.dataSync(), byInput)).toBeLessThan(1e-4);
    });
    tf.dispose([x, filter, dy]);
  });

  test('channels first', () => {
    tf.tidy(() => {
      const x = seeded<tf.Rank.R4>([2, 7, 6, 3], 1);
      const filter = seeded<tf.Rank.R4>([3, 3, 3, 4], 2);
      const pad = [[0, 0], [1, 0], [2, 1], [0, 0]]; // prettier-ignore
      const dy = seeded<tf.Rank.R4>([2, 3, 4, 4], 3);
      const last = { strides: 2, pad, dataFormat: 'NHWC', filterShape: filter.shape, inputShape: x.shape };
      const padFirst = [[0, 0], [0, 0], [1, 0], [2, 1]]; // prettier-ignore
      const first = { ...last, pad: padFirst, dataFormat: 'NCHW', inputShape: [2, 3, 7, 6] };
      const toFirst = (tensor: tf.Tensor) => tf.transpose(tensor, [0, 3, 1, 2]);
      const dFilter = kernel('Conv2DBackpropFilter', { x, dy }, last);
      const dFilterFirst = kernel('Conv2DBackpropFilter', { x: toFirst(x), dy: toFirst(dy) }, first);
      expect(relativeDifference(dFilterFirst.dataSync(), dFilter.dataSync())).toBeLessThan(1e-6);
      const dx = kernel('Conv2DBackpropInput', { dy, filter }, last);
      const dxFirst = kernel('Conv2DBackpropInput', { dy: toFirst(dy), filter }, first);
      expect(dxFirst.shape).toEqual([2, 3, 7, 6]);
      expect(relativeDifference(dxFirst.dataSync(), toFirst(dx).dataSync())).toBeLessThan(1e-6);
    });
  });

  test('an input that is not a tensor raises an error', () => {
    const { kernelFunc } = tf.getKernel('Conv2DBackpropFilter', 'wasm');
    expect(() => kernelFunc({ inputs: {}, backend: tf.backend(), attrs: {} })).toThrow(
      "Conv2DBackpropFilter (transferkit, wasm): expected the input 'x' to be a tensor",
    );
  });
});

// A convolution is linear in each of its inputs: a central difference is exact with any step, and rounding asks for a
// big one.
test.each([
  { depthwise: false, kernel: 3, stride: 2, padding: 'same', size: [9, 8], filters: 4 },
  { depthwise: false, kernel: 1, stride: 2, padding: 'same', size: [9, 8], filters: 4 },
  { depthwise: true, kernel: 3, stride: 2, padding: 'same', size: [8, 9], filters: 2 },
  { depthwise: true, kernel: 5, stride: 1, padding: explicit, size: [8, 9], filters: 1 },
] satisfies Case[])(
  'agree with central differences: %o',
  async ({ depthwise, kernel, stride, padding, size, filters }) => {
    const shapes = [[2, ...size, 3], [kernel, kernel, 3, filters]]; // prettier-ignore
    const start = shapes.map((shape, i) => seeded(shape, i + 1));
    const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => {
      const y = (depthwise ? tf.depthwiseConv2d : tf.conv2d)(a as tf.Tensor4D, b as tf.Tensor4D, stride, padding);
      return tf.sum(tf.mul(y, seeded(y.shape, 3)));
    };
    const gradients = tf.grads(loss)(start);
    for (const [which, gradient] of gradients.entries()) {
      const computed = await gradient.data();
      const at = (index: number, step: number): number =>
        tf.tidy(() => {
          const moved = start[which]!.dataSync().slice();
          moved[index]! += step;
          const inputs = start.map((tensor, i) => (i === which ? tf.tensor(moved, tensor.shape) : tensor));
          return loss(inputs[0]!, inputs[1]!).dataSync()[0]!;
        });
      for (let index = 0; index < computed.length; index += Math.ceil(computed.length / 12)) {
        expect(computed[index]).toBeCloseTo((at(index, 1) - at(index, -1)) / 2, 3);
      }
    }
    tf.dispose([...start, ...gradients]);
  },
);

describe('memory', () => {
  const counts = () => {
    const { numTensors, numDataBuffers } = tf.memory();
    return { numTensors, numDataBuffers, onBackend: tf.backend().numDataIds() };
  };
  const network = (x: tf.Tensor4D, full: tf.Tensor4D, depthwise: tf.Tensor4D, point: tf.Tensor4D): tf.Scalar => {
    const a = tf.conv2d(x, full, 2, 'same');
    const b = tf.depthwiseConv2d(a, depthwise, 2, 'same');
    const c = tf.depthwiseConv2d(b, depthwise, 1, 'same');
    return tf.sum(tf.square(tf.conv2d(c, point, 1, 'same')));
  };

  test('variableGrads leaks nothing, with and without tidy', () => {
    const x = seeded<tf.Rank.R4>([2, 13, 12, 3], 1);
    const full = tf.variable(seeded<tf.Rank.R4>([3, 3, 3, 6], 2));
    const depthwise = tf.variable(seeded<tf.Rank.R4>([3, 3, 6, 1], 3));
    const point = tf.variable(seeded<tf.Rank.R4>([1, 1, 6, 4], 4));
    const step = () => tf.variableGrads(() => network(x, full, depthwise, point));
    tf.dispose(Object.values(step().grads)); // The first step may fill caches.
    const before = counts();
    const { value, grads } = step();
    expect(Object.values(grads).every((gradient) => !gradient.isDisposed && gradient.dataSync().length > 0)).toBe(true);
    tf.dispose([value, ...Object.values(grads)]);
    expect(counts()).toEqual(before);
    tf.tidy(() => {
      step();
    });
    expect(counts()).toEqual(before);
    tf.dispose([x, full, depthwise, point]);
  });

  test('a kernel outside every scope leaves one tensor', () => {
    const x = seeded<tf.Rank.R4>([1, 6, 6, 2], 1);
    const dy = seeded<tf.Rank.R4>([1, 3, 3, 2], 2);
    for (const name of ['Conv2D', 'DepthwiseConv2dNative']) {
      const before = counts();
      const filterShape = name === 'Conv2D' ? [3, 3, 2, 2] : [3, 3, 2, 1];
      const gradient = kernel(`${name}BackpropFilter`, { x, dy }, { strides: 2, pad: 'same', filterShape });
      const { numTensors, numDataBuffers, onBackend } = before;
      expect(counts()).toEqual({
        numTensors: numTensors + 1,
        numDataBuffers: numDataBuffers + 1,
        onBackend: onBackend + 1,
      });
      gradient.dispose();
      expect(counts()).toEqual(before);
    }
    tf.dispose([x, dy]);
  });

  test('a kernel that raises leaks nothing', () => {
    const x = seeded<tf.Rank.R4>([1, 6, 6, 2], 1);
    const before = counts();
    expect(() => kernel('Conv2DBackpropFilter', { x, dy: x }, { strides: 2, pad: 'same', filterShape: [3] })).toThrow(
      'expected a shape of rank 4, got [3]',
    );
    expect(counts()).toEqual(before);
    x.dispose();
  });

  test("passes tfjs's own check for leaks, and has second gradients", () => {
    tf.env().set('IS_TEST', true);
    const before = counts();
    tf.tidy(() => {
      const x = seeded<tf.Rank.R4>([1, 5, 5, 2], 1);
      const filter = seeded<tf.Rank.R4>([3, 3, 2, 2], 2);
      const squared = (a: tf.Tensor) => tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, filter, 1, 'same')));
      const second = tf.grad((a) => tf.sum(tf.square(tf.grad(squared)(a))))(x);
      expect(second.dataSync().every(Number.isFinite)).toBe(true);
    });
    tf.env().set('IS_TEST', false);
    expect(counts()).toEqual(before);
  });
});

function kernel(name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(name, inputs, attributes as tf.NamedAttrMap);
}

function byDefinition(c: Convolution) {
  const [oh, ow] = outputSize(c);
  const x = seeded<tf.Rank.R4>([c.batch, c.height, c.width, c.channels], 1);
  const filter = seeded<tf.Rank.R4>([c.kernel, c.kernel, c.channels, c.filters], 2);
  const dy = seeded<tf.Rank.R4>([c.batch, oh, ow, c.depthwise ? c.channels * c.filters : c.filters], 3);
  const [input, weights, slope] = [x.dataSync(), filter.dataSync(), dy.dataSync()];
  const byInput = new Float64Array(x.size);
  const byFilter = new Float64Array(filter.size);
  eachProduct(c, (i, f, o) => {
    byInput[i]! += slope[o]! * weights[f]!;
    byFilter[f]! += input[i]! * slope[o]!;
  });
  return { x, filter, dy, byInput, byFilter };
}
