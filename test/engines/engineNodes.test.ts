// Nodes on ONNX Runtime: each gives the values of the own engine, or is named and left to it. `npm run test:engine`.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend } from '../../src/index.ts';
import { chooseEngine } from '../../src/core/engineChoice.ts';
import type { NodeSpec } from '../../src/core/graphs.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Shape } from '../../src/core/types.ts';
import type { FoldedGraph } from '../../src/networks/engines/engine.ts';
import { onnxEngine } from '../../src/networks/engines/onnxEngine.ts';
import { ownEngine } from '../../src/networks/engines/ownEngine.ts';
import { text } from '../support/tinyGraph.ts';

beforeAll(async () => {
  await useBackend('cpu', { engine: 'own' });
  chooseEngine({ name: 'onnxruntime', threads: 2 });
});

const ints = (values: readonly number[]) => ({ list: { i: values.map(String) } });
const step = (name: string, op: string, inputs: string[], attr: JsonObject = {}): NodeSpec => ({
  name,
  op,
  inputs,
  attr: { T: { type: 'DT_FLOAT' }, ...attr },
});
const window = (stride: number, padding: string, more: JsonObject = {}): JsonObject => ({
  strides: ints([1, stride, stride, 1]),
  dilations: ints([1, 1, 1, 1]),
  padding: text(padding),
  data_format: text('NHWC'),
  ...more,
});
const size = (pixels: number) => ({ ksize: ints([1, pixels, pixels, 1]) });
const part = { begin_mask: { i: '0' }, end_mask: { i: '0' }, shrink_axis_mask: { i: '1' } };
const toFloat = { SrcT: { type: 'DT_INT32' }, DstT: { type: 'DT_FLOAT' } };
const flags = (isAligned: boolean, isHalf: boolean) => ({
  align_corners: { b: isAligned },
  half_pixel_centers: { b: isHalf },
});

const floats = (shape: number[], of: (i: number) => number = (i) => Math.sin(i * 1.7)) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => of(i)),
    shape,
  );
const whole = (values: number[], shape = [values.length]) => tf.tensor(values, shape, 'int32');

interface Case {
  readonly nodes: NodeSpec[];
  readonly constants?: Record<string, tf.Tensor>;
  readonly shape?: Shape;
  readonly dtype?: 'float32' | 'int32' | 'bool';
  /** Shape of the batch. Default: three examples. */
  readonly batch?: number[];
  /** Operations that run on the own engine. */
  readonly left?: string[];
}

const types = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' };

/** Compares the engines; returns the operations that ONNX Runtime leaves to the own one. */
async function compare({ nodes, constants = {}, shape = [null, 5, 6, 2], dtype = 'float32', batch }: Case) {
  const graph = {
    name: 'net',
    nodes: [
      step('x', 'Placeholder', [], { dtype: { type: types[dtype] } }),
      ...Object.keys(constants).map((name) => step(name, 'Const', [])),
      ...nodes,
    ],
    input: 'x',
    outputs: [nodes.at(-1)?.name ?? 'x'],
    rest: {},
  };
  const made = (): FoldedGraph => ({
    graph,
    constants: new Map(Object.entries(constants).map(([name, value]) => [name, value.clone()])),
    input: { shape, dtype },
  });
  const sizes = batch ?? shape.map((axis) => axis ?? 3);
  const x = dtype === 'float32' ? floats(sizes, (i) => 2 * Math.sin(i * 0.37 + 1)) : numbers(sizes, dtype);
  const [own, engine] = [await ownEngine.prepare(made()), await onnxEngine.prepare(made())];
  const [expected, found] = [await own.run(x), await engine.run(x)];
  expect(found.shape).toEqual(expected.shape);
  expect(found.dtype).toBe(expected.dtype);
  const [a, b] = [found.dataSync(), expected.dataSync()];
  const largest = Math.max(...[...b].filter(Number.isFinite).map(Math.abs), 1e-9);
  for (const [i, value] of b.entries()) {
    if (a[i] !== value) expect(Math.abs((a[i] ?? NaN) - value) / largest, `value ${String(i)}`).toBeLessThan(1e-5);
  }
  own.dispose();
  engine.dispose();
  tf.dispose([x, expected, found]);
  return engine.leftToOwn.map((named) => /\((\w+)\)/.exec(named)?.[1]);
}

function numbers(shape: number[], dtype: 'int32' | 'bool'): tf.Tensor {
  const length = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Array.from({ length }, (_, i) => (dtype === 'bool' ? i % 2 : ((i * 7) % 11) - 5)),
    shape,
    dtype,
  );
}

function check(cases: Readonly<Record<string, Case>>): void {
  test.each(Object.entries(cases))('%s', async (_, each) => {
    expect(await compare(each)).toEqual(each.left ?? []);
  });
}

describe('pictures of free size', () => {
  const free = { shape: [null, null, null, 2], batch: [2, 7, 8, 2] };
  const filter = (pixels: number) => ({ w: floats([pixels, pixels, 2, 3]) });
  const convolve = (attr: JsonObject) => [step('y', 'Conv2D', ['x', 'w'], attr)];
  const dilated = window(1, 'SAME', { dilations: ints([1, 2, 2, 1]) });
  check({
    'single pixels at stride 2': { ...free, nodes: convolve(window(2, 'SAME')), constants: filter(1) },
    'padding that no size changes': { ...free, nodes: convolve(dilated), constants: filter(3) },
    'padding by the runtime': { ...free, nodes: convolve(window(2, 'SAME')), constants: filter(3) },
    'padding that it refuses': {
      ...free,
      nodes: convolve(window(3, 'SAME')),
      constants: filter(2),
      left: ['Conv2D'],
    },
    'pools of one pixel': { ...free, nodes: [step('y', 'MaxPool', ['x'], window(2, 'SAME', size(1)))] },
  });
});

describe('windows', () => {
  const pads = { q: whole([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]) };
  const negative = [step('a', 'Abs', ['x']), step('n', 'Neg', ['a']), step('p', 'Pad', ['n', 'q'])];
  const pool = window(2, 'VALID', size(3));
  const zeros = { explicit_paddings: ints([0, 0, 2, 2, 2, 3, 0, 0]) };
  check({
    'single pixels with padding, of the same size as before': {
      nodes: [step('y', 'Conv2D', ['x', 'w'], window(2, 'EXPLICIT', zeros))],
      constants: { w: floats([1, 1, 2, 3]) },
    },
    'zeros before a MaxPool count': { nodes: [...negative, step('y', 'MaxPool', ['p'], pool)], constants: pads },
    'also before an Identity': {
      nodes: [...negative, step('i', 'Identity', ['p']), step('y', 'MaxPool', ['i'], pool)],
      constants: pads,
    },
    'and before an AvgPool': { nodes: [...negative, step('y', 'AvgPool', ['p'], pool)], constants: pads },
    'zeros are zeros': {
      nodes: [step('a', 'Abs', ['x']), step('p', 'Pad', ['a', 'q']), step('y', 'Sign', ['p'])],
      constants: pads,
    },
  });
});

describe('BatchNorm', () => {
  const constants = { g: floats([2]), b: floats([2]), m: floats([2]), v: floats([2], (i) => 0.001 + i) };
  const norm = (attr: JsonObject) => [step('y', 'FusedBatchNormV3', ['x', 'g', 'b', 'm', 'v'], attr)];
  check({
    'has the epsilon of tfjs where the node has none': { nodes: norm({}), constants },
    'of vectors': { nodes: norm({ epsilon: { f: 0.01 } }), constants, shape: [null, 2] },
    'of sequences': { nodes: norm({}), constants, shape: [null, 2, 2], left: ['FusedBatchNormV3'] },
  });
});

describe('shapes', () => {
  const parts = { zero: whole([0]), one: whole([1]), rows: whole([-1, 2]), rest: whole([-1], []) };
  const shape = [
    step('shape', 'Shape', ['x']),
    step('batch', 'StridedSlice', ['shape', 'zero', 'one', 'one'], part),
    step('sizes', 'Pack', ['batch', 'rest'], { axis: { i: '0' } }),
  ];
  check({
    'parts of examples join again': {
      nodes: [
        ...shape,
        step('r', 'Reshape', ['x', 'rows']),
        step('s', 'Softmax', ['r']),
        step('y', 'Reshape', ['s', 'sizes']),
      ],
      constants: parts,
    },
    'lists side by side': {
      nodes: [step('k', 'Pack', ['a', 'b'], { axis: { i: '1' } }), step('y', 'Pad', ['x', 'k'])],
      constants: { a: whole([0, 1, 0, 0]), b: whole([0, 2, 1, 0]) },
      left: ['Pack'],
    },
    'a row of a table': {
      nodes: [step('k', 'StridedSlice', ['t', 'one', 'two', 'one'], part), step('y', 'Pad', ['x', 'k'])],
      constants: {
        t: whole([9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 1, 2, 0, 1, 0, 0], [2, 4, 2]),
        one: whole([1]),
        two: whole([2]),
      },
      left: ['StridedSlice'],
    },
    'no axis to reduce': {
      nodes: [step('y', 'Mean', ['x', 'axes'], { keep_dims: { b: true } })],
      constants: { axes: whole([]) },
      left: ['Mean'],
    },
    'one matrix for all examples': {
      nodes: [step('a', 'BatchMatMulV2', ['k', 'x']), step('y', 'Reshape', ['a', 'r'])],
      constants: { k: floats([1, 2, 3]), r: whole([-1, 8]) },
      shape: [null, 3, 4],
    },
  });
});

describe('other types', () => {
  const vectors = { shape: [null, 4] };
  check({
    'integers, converted': { ...vectors, dtype: 'int32', nodes: [step('y', 'Cast', ['x'], toFloat)] },
    'truth values, converted': { ...vectors, dtype: 'bool', nodes: [step('y', 'Cast', ['x'], toFloat)] },
    'integers as they are': { ...vectors, dtype: 'int32', nodes: [step('y', 'Identity', ['x'])] },
    'truth values as they are': { ...vectors, dtype: 'bool', nodes: [] },
    'sums of integers': { ...vectors, dtype: 'int32', nodes: [step('y', 'Add', ['x', 'x'])], left: ['Add'] },
    'integers between nodes that are left': {
      ...vectors,
      dtype: 'int32',
      nodes: [
        step('i', 'Reshape', ['x', 'squares']),
        step('r', 'ReverseV2', ['i', 'one']),
        step('f', 'Cast', ['r'], toFloat),
        step('y', 'Relu', ['f']),
      ],
      constants: { squares: whole([-1, 2, 2]), one: whole([1]) },
      left: ['ReverseV2'],
    },
  });
});

test('a constant and a value in another form may have one name', async () => {
  const nodes = [
    step('c', 'MaxPool', ['x'], window(1, 'SAME', size(2))),
    step('s', 'Add', ['c', 'k']),
    step('y', 'Mul', ['s', 'k/of_pictures']),
  ];
  const constants = { k: floats([2]), 'k/of_pictures': floats([1, 1, 1, 2], (i) => 3 + i) };
  expect(await compare({ nodes, constants })).toEqual([]);
});

describe.each(['ResizeBilinear', 'ResizeNearestNeighbor'])('%s', (op) => {
  const settings = [flags(false, false), flags(true, false), flags(false, true)];
  const sizes = [
    [7, 31],
    [7, 117],
    [14, 2],
    [6, 10],
    [2, 98],
    [1, 5],
    [5, 1],
  ] as const;
  test.each(sizes)('from %i to %i pixels', async (from, to) => {
    for (const attr of settings) {
      const nodes = [step('y', op, ['x', 's'], attr)];
      expect(await compare({ nodes, constants: { s: whole([to, from]) }, shape: [null, from, from, 1] })).toEqual([]);
    }
  });
});
