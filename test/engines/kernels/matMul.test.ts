// Matrix products on the module against tfjs's cpu backend.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { kernelOrOriginal } from '../../../src/engines/kernels/kernelMaker.ts';
import { matMulMakers } from '../../../src/engines/kernels/matMul.ts';
import { relativeDifference, seeded, values } from '../backends/compare.ts';
import { areSameBits, onCpu, onModule, startModule, type Call } from './onModule.ts';

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 31];
const flags = [false, true];
const transpositions = flags.flatMap((transposeA) => flags.map((transposeB) => ({ transposeA, transposeB })));

interface Product {
  readonly outerA?: number[];
  readonly outerB?: number[];
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function product({ outerA = [], outerB = [], m, k, n, transposeA, transposeB }: Product): Call {
  const a = transposeA ? [k, m] : [m, k];
  const b = transposeB ? [n, k] : [k, n];
  return {
    kernel: 'BatchMatMul',
    inputs: () => ({ a: seeded([...outerA, ...a], 1), b: seeded([...outerB, ...b], 2) }),
    attributes: { transposeA, transposeB },
  };
}

async function expectLikeCpu(calls: readonly Call[]): Promise<void> {
  const expected = await onCpu(calls);
  for (const [i, { shape, data }] of (await onModule(calls)).entries()) {
    expect(shape).toEqual(expected[i]!.shape);
    expect(relativeDifference(data, expected[i]!.data), JSON.stringify(calls[i]!.attributes)).toBeLessThan(2e-6);
  }
}

test('sizes smaller than a tile, for all transpositions', async () => {
  const products = transpositions.flatMap((transposed) =>
    sizes.flatMap((m, i) => [
      { ...transposed, m, k: sizes[(i + 5) % 12]!, n: sizes[(i + 7) % 12]! },
      { ...transposed, m, k: sizes[(i + 1) % 12]!, n: sizes[(i + 3) % 12]! },
    ]),
  );
  await expectLikeCpu(products.map(product));
});

test('sizes that make many tasks', async () => {
  const large = [
    { m: 700, k: 65, n: 41 },
    { m: 33, k: 1030, n: 200 },
    { m: 3, k: 300, n: 1001 },
    { m: 4, k: 1000, n: 1000 },
  ];
  await expectLikeCpu(large.flatMap((size) => transpositions.map((transposed) => product({ ...size, ...transposed }))));
});

test('a vector times a matrix', async () => {
  const widths = [1, 3, 4, 5, 17, 100, 385, 1000, 1001, 1537];
  const products = widths.flatMap((n, i) => [7, 8, 1290].map((k) => ({ m: 1, k: k + (i % 3), n })));
  await expectLikeCpu([
    ...products.map((size) => product({ ...size, transposeA: false, transposeB: false })),
    product({ m: 1, k: 40, n: 30, transposeA: true, transposeB: false }),
    product({ m: 1, k: 40, n: 30, transposeA: false, transposeB: true }),
    product({ m: 1, k: 2100, n: 1030, transposeA: false, transposeB: false }),
    product({ outerA: [1, 1], m: 1, k: 40, n: 30, transposeA: false, transposeB: false }),
  ]);
});

test('a vector with bias and activation', async () => {
  const inputs = (bias: number[]) => () => ({
    a: seeded([1, 1, 31], 1),
    b: seeded([1, 31, 9], 2),
    bias: seeded(bias, 3),
  });
  const calls = ['linear', 'relu', 'relu6', 'leakyrelu', 'sigmoid'].flatMap((activation) =>
    [[9], [1], []].map((bias) => ({
      kernel: '_FusedMatMul',
      inputs: inputs(bias),
      attributes: { transposeA: false, transposeB: false, activation, leakyreluAlpha: 0.3 },
    })),
  );
  await expectLikeCpu(calls);
});

test('a row has the same bits alone and among others', async () => {
  const call = (rows: number): Call => ({
    kernel: '_FusedMatMul',
    inputs: () => ({
      a: tf.slice(seeded([9, 700], 1), [0, 0], [rows, 700]),
      b: seeded([700, 805], 2),
      bias: seeded([805], 3),
    }),
    attributes: { transposeA: false, transposeB: false, activation: 'sigmoid' },
  });
  const [alone, among] = await onModule([call(1), call(9)]);
  expect(areSameBits(alone!.data, among!.data.slice(0, 805))).toBe(true);
});

test('a matrix that is packed in parts', async () => {
  const [k, n] = [520, 8_103];
  const right = values(k * n, 2);
  const calls = flags.map((transposeB) => ({
    kernel: '_FusedMatMul',
    inputs: () => ({
      a: seeded([1, 9, k], 1),
      b: tf.tensor(right, transposeB ? [1, n, k] : [1, k, n]),
      bias: seeded([n], 3),
    }),
    attributes: { transposeA: false, transposeB, activation: 'relu' },
  }));
  await expectLikeCpu(calls);
});

test.each([
  { outerA: [3], outerB: [3] },
  { outerA: [3], outerB: [] },
  { outerA: [3], outerB: [1] },
  { outerA: [1], outerB: [3] },
  { outerA: [2, 3], outerB: [2, 3] },
  { outerA: [2, 3], outerB: [] },
  { outerA: [], outerB: [2, 3] },
])('batches: $outerA and $outerB', async (outer) => {
  await expectLikeCpu(transpositions.map((transposed) => product({ ...outer, m: 5, k: 6, n: 11, ...transposed })));
});

test('nothing to sum over gives zeros, no rows give nothing', async () => {
  const zeros = await onModule([product({ m: 3, k: 0, n: 9, transposeA: false, transposeB: false })]);
  expect(zeros).toEqual([{ shape: [3, 9], data: new Float32Array(27) }]);
  const nothing = await onModule([product({ m: 0, k: 4, n: 9, transposeA: false, transposeB: false })]);
  expect(nothing).toEqual([{ shape: [0, 9], data: new Float32Array() }]);
});

test.each([
  { outerA: [1], outerB: [0] },
  { outerA: [0], outerB: [1] },
  { outerA: [2, 0], outerB: [] },
  { outerA: [], outerB: [0] },
])('no batches give nothing: $outerA and $outerB', async ({ outerA, outerB }) => {
  const module = await startModule(1);
  const { kernelFunc } = matMulMakers[0]!.make(module, undefined);
  const runs = vi.spyOn(module, 'run');
  tf.tidy(() => {
    for (const transposed of transpositions) {
      const { inputs, attributes } = product({ outerA, outerB, m: 5, k: 6, n: 11, ...transposed });
      const result = kernelFunc({ inputs: inputs(), attrs: attributes as tf.NamedAttrMap, backend: module.backend });
      expect(tf.engine().makeTensorFromTensorInfo(result as tf.TensorInfo).size).toBe(0);
    }
  });
  expect(runs).not.toHaveBeenCalled(); // Nothing may be written: there is no memory for it.
});

test('bias and activation', async () => {
  const attributes = { transposeA: false, transposeB: false };
  const calls = ['linear', 'relu', 'relu6', 'leakyrelu'].flatMap((activation) =>
    [[11], [1], []].map((bias) => ({
      kernel: '_FusedMatMul',
      inputs: () => ({
        a: tf.mul(seeded([2, 5, 30], 1), 3),
        b: tf.mul(seeded([1, 30, 11], 2), 3),
        bias: seeded(bias, 3),
      }),
      attributes: { ...attributes, activation, leakyreluAlpha: 0.3 },
    })),
  );
  await expectLikeCpu(calls);
});

test('NaN stays NaN', async () => {
  for (const activation of ['linear', 'relu', 'relu6', 'leakyrelu']) {
    const inputs = () => ({ a: tf.tensor2d([[NaN, 1]]), b: tf.tensor2d([[1], [2]]) }); // prettier-ignore
    const [result] = await onModule([
      { kernel: '_FusedMatMul', inputs, attributes: { activation, leakyreluAlpha: 0 } },
    ]);
    expect(result!.data).toEqual(Float32Array.of(NaN));
  }
});

test('other types, activations and shapes run on the previous kernel', async () => {
  const module = await startModule(1);
  const given: unknown[] = [];
  const original: tf.KernelConfig = {
    kernelName: 'BatchMatMul',
    backendName: 'wasm',
    kernelFunc: (call) => {
      given.push(call);
      return { dataId: {}, shape: [], dtype: 'float32' };
    },
  };
  const { kernelFunc } = matMulMakers[1]!.make(module, original);
  tf.tidy(() => {
    const matrix = seeded([3, 3], 1);
    const calls = [
      { inputs: { a: tf.cast(matrix, 'int32'), b: matrix }, attrs: {} },
      { inputs: { a: matrix, b: matrix }, attrs: { activation: 'elu' } },
      { inputs: { a: matrix, b: matrix, bias: matrix }, attrs: {} },
      { inputs: { a: tf.ones([2, 1, 3, 3]), b: tf.ones([1, 2, 3, 3]) }, attrs: {} },
    ].map((call) => ({ ...call, backend: module.backend }));
    for (const call of calls) kernelFunc(call);
    expect(given).toEqual(calls);
  });
  const alone = kernelOrOriginal('Nothing', () => undefined).make(module, undefined);
  expect(() => alone.kernelFunc({ inputs: {}, backend: module.backend })).toThrow(
    'Nothing (transferkit, wasm): there is no kernel for these inputs and attributes.',
  );
});
