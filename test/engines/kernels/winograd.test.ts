// Winograd's convolutions against their definition in float64, and against today's product where the sizes do not fit.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import {
  derivedBytes,
  derivedValues,
  keepConstants,
  mostDerivedBytes,
} from '../../../src/engines/kernels/constants.ts';
import type { KernelModule } from '../../../src/engines/kernels/kernelModule.ts';
import { memoryOf } from '../../../src/engines/kernels/wasmHeap.ts';
import { useBackend } from '../../../src/useBackend.ts';
import { relativeDifference, seeded, values } from '../backends/compare.ts';
import { areSameBits, callOn, onModule, startModule, type Call, type Values } from './onModule.ts';

type Padding = 'same' | 'valid' | [[number, number], [number, number], [number, number], [number, number]];
type Shape = [batch: number, height: number, width: number, channels: number];

interface Case {
  readonly x: Shape;
  readonly filters: number;
  readonly pad?: Padding;
  readonly bias?: readonly number[];
  readonly activation?: 'linear' | 'relu' | 'relu6' | 'leakyrelu';
}

interface Plain {
  readonly shape: number[];
  readonly data: Float32Array;
}

const alpha = 0.2;
const activations = {
  linear: (x: number) => x,
  relu: (x: number) => Math.max(x, 0),
  relu6: (x: number) => Math.min(Math.max(x, 0), 6),
  leakyrelu: (x: number) => (x < 0 ? alpha * x : x),
};

function plain(shape: number[], seed: number, factor = 1): Plain {
  return { shape, data: values(tf.util.sizeFromShape(shape), seed).map((value) => value * factor) };
}

/** The arguments of a case, its result by definition, and the call. */
function convolution({ x: xShape, filters, pad = 'same', bias: biasShape, activation = 'linear' }: Case) {
  const x = plain(xShape, 1);
  const filter = plain([3, 3, xShape[3], filters], 2, 0.5);
  const bias = biasShape && plain([...biasShape], 3);
  const info = tf.backend_util.computeConv2DInfo(xShape, [3, 3, xShape[3], filters], 1, 1, pad);
  const sums = convolve(x, filter, info);
  const expected = sums.map((sum, i) => {
    const added = bias === undefined ? 0 : bias.data[bias.data.length === 1 ? 0 : i % filters]!;
    return activations[activation](sum + added);
  });
  const call: Call = {
    kernel: 'FusedConv2D',
    inputs: () => tensors({ x, filter, ...(bias && { bias }) }),
    attributes: { strides: 1, pad, dataFormat: 'NHWC', dilations: 1, activation, leakyreluAlpha: alpha },
  };
  return { expected, shape: info.outShape, call };
}

function tensors(parts: Readonly<Record<string, Plain>>): tf.NamedTensorMap {
  return Object.fromEntries(Object.entries(parts).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]));
}

/** Sums in float64. */
function convolve(x: Plain, filter: Plain, info: tf.backend_util.Conv2DInfo): Float64Array {
  const { outHeight, outWidth, outChannels, inHeight, inWidth, inChannels, padInfo } = info;
  const out = new Float64Array(tf.util.sizeFromShape(info.outShape));
  for (let pixel = 0; pixel < info.batchSize * outHeight * outWidth; pixel++) {
    const line = Math.floor(pixel / outWidth);
    for (let tap = 0; tap < 9; tap++) {
      const i = (line % outHeight) + Math.floor(tap / 3) - padInfo.top;
      const j = (pixel % outWidth) + (tap % 3) - padInfo.left;
      if (i < 0 || i >= inHeight || j < 0 || j >= inWidth) continue;
      const from = ((Math.floor(line / outHeight) * inHeight + i) * inWidth + j) * inChannels;
      for (let c = 0; c < inChannels; c++)
        for (let f = 0; f < outChannels; f++)
          out[pixel * outChannels + f]! += x.data[from + c]! * filter.data[(tap * inChannels + c) * outChannels + f]!;
    }
  }
  return out;
}

const shifted: Padding = [[0, 0], [1, 2], [0, 3], [0, 0]]; // prettier-ignore
const wide: Padding = [[0, 0], [5, 0], [2, 6], [0, 0]]; // prettier-ignore

const cases: Case[] = [
  { x: [1, 8, 8, 16], filters: 16 },
  { x: [2, 7, 9, 36], filters: 40, pad: 'valid' },
  { x: [3, 13, 10, 32], filters: 44, pad: shifted },
  { x: [2, 7, 7, 68], filters: 36, pad: wide },
  { x: [1, 23, 30, 40], filters: 52 },
  { x: [5, 7, 7, 132], filters: 136 },
  { x: [1, 5, 40, 32], filters: 260, pad: 'valid' },
];

/** A module whose runs are listed. */
function listed(module: KernelModule): { readonly module: KernelModule; readonly runs: string[] } {
  const runs: string[] = [];
  const run: KernelModule['run'] = (kernel, parameters, tasks) => {
    runs.push(kernel);
    module.run(kernel, parameters, tasks);
  };
  return { module: { ...module, run }, runs };
}

async function runsOf(call: Call): Promise<string[]> {
  const { module, runs } = listed(await startModule(1));
  callOn(module, call);
  return runs;
}

test.each(cases)('$x with $filters filters', async (each) => {
  const { expected, shape, call } = convolution(each);
  const [received] = await onModule([call]);
  expect(received!.shape).toEqual(shape);
  expect(relativeDifference(received!.data, expected)).toBeLessThan(4e-6);
  expect(await runsOf(call)).toEqual(['transformFilters', 'winogradProduct']);
});

test('errors are those of a plain sum, up to a small factor', async () => {
  const { expected, call } = convolution({ x: [1, 8, 8, 512], filters: 32 });
  const [received] = await onModule([call]);
  expect(relativeDifference(received!.data, expected)).toBeLessThan(5e-6);
});

test.each(['linear', 'relu', 'relu6', 'leakyrelu'] as const)('bias and %s', async (activation) => {
  for (const bias of [[36], [1], []]) {
    const { expected, call } = convolution({ x: [2, 9, 11, 32], filters: 36, bias, activation });
    const [received] = await onModule([call]);
    expect(relativeDifference(received!.data, expected)).toBeLessThan(4e-6);
    expect(received!.data.some((value) => value < 0)).toBe(activation === 'linear' || activation === 'leakyrelu');
  }
});

test('the gradient with respect to the input', async () => {
  for (const { x: inputShape, filters, pad = 'same' } of cases) {
    const info = tf.backend_util.computeConv2DInfo(inputShape, [3, 3, inputShape[3], filters], 1, 1, pad);
    const dy = plain(info.outShape, 3);
    const filter = plain([3, 3, inputShape[3], filters], 2);
    const call: Call = {
      kernel: 'Conv2DBackpropInput',
      inputs: () => tensors({ dy, filter }),
      attributes: { strides: 1, pad, dataFormat: 'NHWC', dilations: 1, inputShape },
    };
    const [received] = await onModule([call]);
    expect(relativeDifference(received!.data, inputGradient(dy, filter, info))).toBeLessThan(4e-6);
    expect(await runsOf(call)).toEqual(['transformFilters', 'winogradProduct']);
  }
});

/** As convolution of the output's gradient with rotated filters. */
function inputGradient(dy: Plain, filter: Plain, info: tf.backend_util.Conv2DInfo): Float64Array {
  const { inChannels, outChannels, padInfo, inHeight, inWidth, outHeight, outWidth, batchSize } = info;
  const rotated = new Float32Array(filter.data.length);
  for (let tap = 0; tap < 9; tap++)
    for (let c = 0; c < inChannels; c++)
      for (let f = 0; f < outChannels; f++)
        rotated[((8 - tap) * outChannels + f) * inChannels + c] =
          filter.data[(tap * inChannels + c) * outChannels + f]!;
  const backwards: tf.backend_util.Conv2DInfo = {
    ...info,
    ...{ inHeight: outHeight, inWidth: outWidth, outHeight: inHeight, outWidth: inWidth },
    ...{ inChannels: outChannels, outChannels: inChannels, outShape: [batchSize, inHeight, inWidth, inChannels] },
    padInfo: { ...padInfo, top: 2 - padInfo.top, left: 2 - padInfo.left },
  };
  return convolve(dy, { shape: filter.shape, data: rotated }, backwards);
}

/** Cases with enough tiles, one of them in several parts, one with more sums than are held at once. */
const filterCases: Case[] = [
  ...cases.filter(({ x }) => x[0] * x[1] * x[2] > 200),
  { x: [3, 61, 50, 32], filters: 36 },
  { x: [2, 12, 11, 580], filters: 584, pad: 'valid' },
];

test.each(filterCases)('the gradient with respect to the filters: $x with $filters', async (each) => {
  const { x: inputShape, filters, pad = 'same' } = each;
  const filterShape: Shape = [3, 3, inputShape[3], filters];
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, 1, 1, pad);
  const [x, dy] = [plain(inputShape, 1), plain(info.outShape, 3)];
  const call: Call = {
    kernel: 'Conv2DBackpropFilter',
    inputs: () => tensors({ x, dy }),
    attributes: { strides: 1, pad, dataFormat: 'NHWC', dilations: 1, filterShape },
  };
  const [received] = await onModule([call]);
  expect(received!.shape).toEqual(filterShape);
  expect(relativeDifference(received!.data, filterGradient(x, dy, info))).toBeLessThan(4e-6);
  expect(new Set(await runsOf(call))).toEqual(new Set(['winogradGradient', 'winogradGradientSum']));
  expect(areSameBits(callOn(await startModule(3), call).data, received!.data)).toBe(true);
});

/** Sums in float64. */
function filterGradient(x: Plain, dy: Plain, info: tf.backend_util.Conv2DInfo): Float64Array {
  const { outHeight, outWidth, outChannels, inHeight, inWidth, inChannels, padInfo } = info;
  const out = new Float64Array(9 * inChannels * outChannels);
  for (let pixel = 0; pixel < info.batchSize * outHeight * outWidth; pixel++) {
    const line = Math.floor(pixel / outWidth);
    for (let tap = 0; tap < 9; tap++) {
      const i = (line % outHeight) + Math.floor(tap / 3) - padInfo.top;
      const j = (pixel % outWidth) + (tap % 3) - padInfo.left;
      if (i < 0 || i >= inHeight || j < 0 || j >= inWidth) continue;
      const from = ((Math.floor(line / outHeight) * inHeight + i) * inWidth + j) * inChannels;
      for (let c = 0; c < inChannels; c++)
        for (let f = 0; f < outChannels; f++)
          out[(tap * inChannels + c) * outChannels + f]! += x.data[from + c]! * dy.data[pixel * outChannels + f]!;
    }
  }
  return out;
}

test('the gradient with respect to the filters of few tiles is computed as a product', async () => {
  const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1, filterShape: [3, 3, 32, 32] };
  const call = (pictures: number): Call => ({
    kernel: 'Conv2DBackpropFilter',
    inputs: () => ({ x: seeded([pictures, 8, 8, 32], 1), dy: seeded([pictures, 8, 8, 32], 2) }),
    attributes,
  });
  expect(await runsOf(call(3))).toEqual(['filterGradient', 'filterGradientSum']);
  expect(await runsOf(call(4))).toEqual(['winogradGradient', 'winogradGradientSum']);
});

test('other convolutions are computed as products', async () => {
  const usual = { x: [1, 8, 8, 32] as Shape, kernel: [3, 3], filters: 32, strides: 1, dilations: 1 };
  const others = [
    { strides: 2 },
    { dilations: 2 },
    { kernel: [1, 3] },
    { kernel: [5, 5] },
    { x: [1, 8, 8, 12] as Shape },
    { x: [1, 8, 8, 17] as Shape },
    { filters: 12 },
    { filters: 18 },
    { x: [16, 4, 4, 32] as Shape },
    { x: [16, 5, 5, 32] as Shape },
  ];
  for (const other of others) {
    const { x, kernel, filters, ...attributes } = { ...usual, ...other };
    const call: Call = {
      kernel: 'Conv2D',
      inputs: () => ({ x: seeded(x, 1), filter: seeded([...kernel, x[3], filters], 2) }),
      attributes: { pad: 'same', dataFormat: 'NHWC', ...attributes },
    };
    expect(await runsOf(call), JSON.stringify(other)).toEqual(['packPanels', 'patchProduct']);
  }
});

test('the result of a picture does not depend on the batch it is in', async () => {
  const x = plain([9, 7, 7, 64], 1);
  const filter = plain([3, 3, 64, 64], 2);
  const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
  const pictures = (first: number, count: number): Call => {
    const size = 7 * 7 * 64;
    const part = { shape: [count, 7, 7, 64], data: x.data.slice(first * size, (first + count) * size) };
    return { kernel: 'Conv2D', inputs: () => tensors({ x: part, filter }), attributes };
  };
  const [all, ...single] = await onModule([pictures(0, 9), ...Array.from({ length: 9 }, (_, i) => pictures(i, 1))]);
  expect(areSameBits(all!.data, Float32Array.from(single.flatMap(({ data }) => [...data])))).toBe(true);
});

test('bits are the same with one thread and with three', async () => {
  const calls = cases.map((each) => convolution(each).call);
  const [one, three] = [await startModule(1), await startModule(3)].map((module) =>
    calls.map((call) => callOn(module, call)),
  ) as [Values[], Values[]];
  for (const [i, { data }] of one.entries()) expect(areSameBits(data, three[i]!.data)).toBe(true);
});

test('NaN and infinity stay in the tiles that read them, and in their picture', async () => {
  const clean = plain([2, 16, 16, 32], 1);
  const filter = plain([3, 3, 32, 32], 2);
  const run = async (x: Plain) => {
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
    const [result] = await onModule([{ kernel: 'Conv2D', inputs: () => tensors({ x, filter }), attributes }]);
    return result!.data;
  };
  const before = await run(clean);
  for (const value of [NaN, Infinity, -Infinity]) {
    const data = clean.data.slice();
    data[(5 * 16 + 6) * 32 + 7] = value; // Picture 0, row 5, column 6: tiles of rows and columns 4 … 7.
    const after = await run({ ...clean, data });
    for (let pixel = 0; pixel < 2 * 16 * 16; pixel++) {
      const [y, x] = [Math.floor(pixel / 16), pixel % 16];
      const isHit = [y, x].every((at) => at >= 4 && at < 8);
      const range = [pixel * 32, (pixel + 1) * 32] as const;
      if (isHit) expect(after.slice(...range).every(Number.isFinite)).toBe(false);
      else expect(after.slice(...range)).toEqual(before.slice(...range));
    }
  }
});

test('filters that are constants are transformed once, with the same bits, and freed when they are released', async () => {
  const { module, runs } = listed(await startModule(2));
  const { backend } = module;
  const { call } = convolution({ x: [2, 8, 9, 64], filters: 72 });
  const inputs = call.inputs();
  const again: Call = { ...call, inputs: () => ({ x: tf.clone(inputs.x!), filter: tf.clone(inputs.filter!) }) };
  const fresh = callOn(module, again);
  expect(derivedBytes(backend)).toBe(0);
  const releases = [keepConstants([inputs.filter!]), keepConstants([inputs.filter!])];
  runs.length = 0;
  for (let i = 0; i < 2; i++) expect(areSameBits(callOn(module, again).data, fresh.data)).toBe(true);
  expect(runs).toEqual(['transformFilters', 'winogradProduct', 'winogradProduct']);
  expect(derivedBytes(backend)).toBeGreaterThan(36 * 64 * 72 * 4 - 1);
  releases[0]!();
  releases[0]!();
  expect(derivedBytes(backend)).toBeGreaterThan(0);
  releases[1]!();
  expect(derivedBytes(backend)).toBe(0);
  runs.length = 0;
  callOn(module, again);
  expect(runs).toEqual(['transformFilters', 'winogradProduct']);
  tf.dispose(inputs);
});

test('beyond the limit of memory constants are transformed in each call', async () => {
  const { module, runs } = listed(await startModule(2));
  const shape = [3, 3, 512, 512];
  const count = Math.ceil(mostDerivedBytes / (36 * 512 * 512 * 4));
  const x = seeded([1, 8, 8, 512], 1);
  const filters = Array.from({ length: count }, () => tf.zeros(shape));
  const release = keepConstants(filters);
  const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
  const round = () => {
    runs.length = 0;
    for (const filter of filters)
      callOn(module, { kernel: 'Conv2D', inputs: () => ({ x: tf.clone(x), filter: tf.clone(filter) }), attributes });
    return runs.filter((name) => name === 'transformFilters').length;
  };
  round();
  expect(derivedBytes(module.backend)).toBeLessThanOrEqual(mostDerivedBytes);
  // In parts of at most 16 MiB.
  expect(round()).toBe(3);
  const { byteLength } = memoryOf(module.backend).buffer;
  for (let i = 0; i < 3; i++) {
    release();
    round();
  }
  expect(memoryOf(module.backend).buffer.byteLength).toBe(byteLength);
  expect(derivedBytes(module.backend)).toBe(0);
  tf.dispose([x, ...filters]);
});

test('values whose computation fails are not kept', async () => {
  const { backend } = await startModule(1);
  const constant = tf.zeros([4]);
  const release = keepConstants([constant]);
  const derive = () => {
    throw new Error('no memory');
  };
  expect(() => derivedValues(backend, constant.dataId, 64, derive)).toThrow('no memory');
  expect(derivedBytes(backend)).toBe(0);
  expect(derivedValues(backend, constant.dataId, 64, () => undefined)).toBeGreaterThan(0);
  release();
  constant.dispose();
});

test('constants outlive the threads', async () => {
  const { call } = convolution({ x: [1, 8, 8, 64], filters: 64 });
  await startModule(2);
  const inputs = call.inputs();
  const again: Call = { ...call, inputs: () => ({ x: tf.clone(inputs.x!), filter: tf.clone(inputs.filter!) }) };
  const release = keepConstants([inputs.filter!]);
  const before = callOn(await startModule(2), again);
  await useBackend('wasm', { kernels: false });
  const { module, runs } = listed(await startModule(1));
  expect(areSameBits(callOn(module, again).data, before.data)).toBe(true);
  expect(runs).toEqual(['winogradProduct']);
  release();
  tf.dispose(inputs);
});
