// Folded nodes as ONNX models: what the bytes say. That a runtime computes the same with them is seen by
// `npm run test:engine`.
import { describe, expect, test } from 'vitest';
import type { NodeSpec } from '../../src/core/graphs.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { encodeModel } from '../../src/networks/onnx/onnxModel.ts';
import type { ConstantValues } from '../../src/networks/onnx/onnxDraft.ts';
import { writeOnnx } from '../../src/networks/onnx/writeOnnx.ts';
import { floatsOf, readOnnx } from '../support/readOnnx.ts';

const window = (strides: readonly number[], padding: string, more: JsonObject = {}): JsonObject => ({
  strides: { list: { i: strides.map(String) } },
  padding: { s: btoa(padding) },
  data_format: { s: btoa('NHWC') },
  ...more,
});

const node = (name: string, op: string, inputs: string[], attr: JsonObject = {}): NodeSpec => ({
  name,
  op,
  inputs,
  attr,
});

const constant = (shape: number[], values?: number[]): ConstantValues => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, values: Float32Array.from(values ?? Array.from({ length: size }, (_, i) => i)) };
};
const integers = (values: number[], shape = [values.length]): ConstantValues => ({
  dtype: 'int32',
  shape,
  values: Int32Array.from(values),
});

/** Writes nodes behind an input of pictures. */
function written(
  nodes: readonly NodeSpec[],
  constants: Record<string, ConstantValues> = {},
  shape: (number | null)[] = [null, 5, 6, 2],
) {
  const all = [
    node('x', 'Placeholder', []),
    ...Object.keys(constants).map((name) => node(name, 'Const', [])),
    ...nodes,
  ];
  const graph = { name: 'net', nodes: all, input: 'x', outputs: [nodes.at(-1)!.name], rest: {} };
  return writeOnnx({ graph, constants: new Map(Object.entries(constants)), input: { shape, dtype: 'float32' } });
}

function read(...given: Parameters<typeof written>) {
  const { graph, refused } = written(...given);
  expect(refused).toEqual([]);
  return readOnnx(encodeModel({ graph: graph! }));
}

const ops = ({ nodes }: ReturnType<typeof read>) => nodes.map(({ op }) => op);

describe('a written model', () => {
  test('names its versions, metadata, input and output, with a free batch axis', () => {
    const { graph } = written([node('y', 'Relu', ['x'])]);
    const labels = JSON.stringify(['a "b"\n', '猫🐈', '\0']);
    const model = readOnnx(encodeModel({ graph: graph!, metadata: { labels, empty: '' } }));
    expect(model).toMatchObject({ format: 8, opset: [17], metadata: { labels, empty: '' } });
    expect(model.inputs).toEqual([{ name: 'x', type: 1, shape: ['batch', 5, 6, 2] }]);
    expect(model.outputs).toEqual([{ name: 'y', type: 1, shape: ['batch', 5, 6, 2] }]);
    expect(model.nodes).toEqual([{ op: 'Relu', name: 'y', inputs: ['x'], outputs: ['y'], attributes: {} }]);
  });

  test('has its convolutions in the order of ONNX, with one transpose at each border', () => {
    const model = read(
      [
        node('a', '_FusedConv2D', ['x', 'w', 'b'], {
          ...window([1, 2, 2, 1], 'SAME'),
          fused_ops: { list: { s: [btoa('BiasAdd'), btoa('Relu6')] } },
        }),
        node('d', 'DepthwiseConv2dNative', ['a', 'dw'], window([1, 1, 1, 1], 'VALID')),
        node('s', 'AddV2', ['d', 'c']),
        node('y', 'MaxPool', ['s'], window([1, 1, 1, 1], 'SAME', { ksize: { list: { i: ['1', '2', '2', '1'] } } })),
      ],
      { w: constant([3, 3, 2, 4]), b: constant([4]), dw: constant([2, 2, 4, 1]), c: constant([4]) },
    );
    expect(ops(model)).toEqual(['Transpose', 'Conv', 'Clip', 'Conv', 'Add', 'MaxPool', 'Transpose']);
    const [, first, , second, , pool] = model.nodes;
    // 5 rows at stride 2 take one row of padding on both sides, 6 columns one column behind them.
    expect(first!.attributes).toEqual({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 1] });
    expect(second!.attributes).toEqual({ kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 0, 0], group: 4 });
    expect(pool!.attributes.pads).toEqual([0, 0, 1, 1]);
    const filter = model.constants.find(({ name }) => name === 'w')!;
    expect(filter.shape).toEqual([4, 2, 3, 3]);
    // [row, column, channel, result] = [0, 1, 0, 2] has number 10; there it is [2, 0, 0, 1].
    expect(floatsOf(filter)[2 * 18 + 1]).toBe(10);
    expect(model.constants.find(({ name }) => name === 'dw')!.shape).toEqual([4, 1, 2, 2]);
    expect(model.constants.find(({ name }) => name.startsWith('c/'))!.shape).toEqual([1, 4, 1, 1]);
    expect(model.outputs).toEqual([{ name: 'y/channels_last', type: 1, shape: ['batch', 2, 2, 4] }]);
  });

  test('takes padding with zeros as explicit attributes, and leaves windows on free sizes to the runtime', () => {
    const explicit = window([1, 1, 1, 1], 'EXPLICIT', {
      explicit_paddings: { list: { i: ['0', '0', '2', '0', '1', '3', '0', '0'] } },
      dilations: { list: { i: ['1', '2', '1', '1'] } },
    });
    const fixed = read([node('y', 'Conv2D', ['x', 'w'], explicit)], { w: constant([3, 3, 2, 4]) });
    expect(fixed.nodes[1]!.attributes).toMatchObject({ pads: [2, 1, 0, 3], dilations: [2, 1] });
    expect(fixed.outputs[0]!.shape).toEqual(['batch', 3, 8, 4]);
    const free = read([node('y', 'Conv2D', ['x', 'w'], window([1, 2, 2, 1], 'SAME'))], { w: constant([3, 3, 2, 4]) }, [
      null,
      null,
      null,
      2,
    ]);
    expect(free.nodes[1]!.attributes).toEqual({ kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' });
    expect(free.outputs[0]!.shape).toEqual(['batch', 'y/channels_last_1', 'y/channels_last_2', 4]);
  });

  test('multiplies pixels whose channels are last, without a transpose', () => {
    const model = read([node('y', 'Conv2D', ['x', 'w'], window([1, 1, 1, 1], 'VALID'))], { w: constant([1, 1, 2, 3]) });
    expect(ops(model)).toEqual(['MatMul']);
    expect(model.constants[0]!.shape).toEqual([2, 3]);
  });

  test('pools whole pictures as such, and flattens one pixel without a transpose', () => {
    const model = read(
      [
        node('a', 'Conv2D', ['x', 'w'], window([1, 1, 1, 1], 'SAME')),
        node('p', 'AvgPool', ['a'], window([1, 1, 1, 1], 'VALID', { ksize: { list: { i: ['1', '5', '6', '1'] } } })),
        node('r', 'Reshape', ['p', 'shape']),
        node('y', 'MatMul', ['r', 'm']),
      ],
      { w: constant([3, 3, 2, 3]), shape: integers([-1, 3]), m: constant([3, 2]) },
    );
    expect(ops(model)).toEqual(['Transpose', 'Conv', 'GlobalAveragePool', 'Reshape', 'Gemm']);
    expect(model.outputs[0]!.shape).toEqual(['batch', 2]);
  });

  test('computes with shapes while it is written', () => {
    const model = read(
      [
        node('shape', 'Shape', ['x']),
        node('batch', 'StridedSlice', ['shape', 'zero', 'one', 'one'], { shrink_axis_mask: { i: '1' } }),
        node('sizes', 'Pack', ['batch', 'rest']),
        node('y', 'Reshape', ['x', 'sizes']),
      ],
      { zero: integers([0]), one: integers([1]), rest: integers([-1], []) },
    );
    expect(ops(model)).toEqual(['Reshape']);
    expect(model.outputs[0]!.shape).toEqual(['batch', 60]);
  });

  test('convolves pixels with a stride or padding as convolutions, whatever their size', () => {
    const strided = node('y', 'Conv2D', ['x', 'w'], window([1, 2, 2, 1], 'SAME'));
    for (const shape of [
      [null, null, null, 2],
      [null, 5, 6, 2],
    ]) {
      expect(ops(read([strided], { w: constant([1, 1, 2, 3]) }, shape))).toContain('Conv');
    }
  });

  test('keeps values of one name apart', () => {
    const model = read(
      [
        node('a', 'Conv2D', ['x', 'w'], window([1, 1, 1, 1], 'SAME')),
        node('s', 'AddV2', ['a', 'c']),
        node('y', 'Mul', ['s', 'c/of_pictures']),
      ],
      { w: constant([3, 3, 2, 2]), c: constant([2], [1, 2]), 'c/of_pictures': constant([1, 1, 1, 2], [3, 4]) },
    );
    const factors = model.nodes.filter(({ op }) => op === 'Add' || op === 'Mul').map(({ inputs }) => inputs[1]);
    const values = factors.map((name) => floatsOf(model.constants.find((each) => each.name === name)!));
    expect(values.map((each) => [...each])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('resizes by factors that give the size when they are rounded', () => {
    const model = read(
      [node('y', 'ResizeBilinear', ['x', 'size'], { half_pixel_centers: { b: true } })],
      { size: integers([31, 117]) },
      [null, 7, 7, 1],
    );
    const [, , ...scales] = floatsOf(model.constants.find(({ name }) => name === 'y/scales')!);
    expect(scales.map((scale) => Math.floor(Math.fround(scale * 7)))).toEqual([31, 117]);
  });

  test('pads with zero, but before a MaxPool with the smallest number that is not, because ONNX Runtime drops those', () => {
    const model = read(
      [
        node('p', 'Pad', ['x', 'amounts']),
        node('y', 'MaxPool', ['p'], window([1, 2, 2, 1], 'VALID', { ksize: { list: { i: ['1', '3', '3', '1'] } } })),
      ],
      { amounts: integers([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]) },
    );
    const value = model.constants.find(({ name }) => name === 'p/value')!;
    expect(floatsOf(value)).toEqual([2 ** -126]);
    const alone = read([node('y', 'Pad', ['x', 'amounts'])], { amounts: integers([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]) });
    expect(floatsOf(alone.constants.find(({ name }) => name === 'y/value')!)).toEqual([0]);
  });

  test('gives an input or a constant as an output through an Identity', () => {
    expect(ops(read([node('y', 'Identity', ['x'])]))).toEqual(['Identity']);
  });
});

test('operations on integers, on shapes and on parts of examples have no form', () => {
  const refusal = (nodes: NodeSpec[], constants = {}) => written(nodes, constants).refused.map(({ reason }) => reason);
  expect(refusal([node('y', 'Mul', ['x', 'two'])], { two: integers([2]) })).toEqual(['it computes with int32']);
  expect(refusal([node('s', 'Shape', ['x']), node('y', 'Mul', ['s', 's'])])).toEqual(['it computes with int32']);
  expect(refusal([node('s', 'Shape', ['x'])])).toEqual(['the output is a shape']);
  expect(refusal([node('y', 'Relu', ['x:1'])])).toEqual(["it reads 'x:1', which is not computed"]);
  const rows = node('r', 'Reshape', ['x', 'rows']);
  const tiled = node('y', 'Tile', ['x', 'twice']);
  expect(refusal([rows, node('s', 'Shape', ['r'])], { rows: integers([-1, 2]) })).toEqual([
    'it counts parts of examples',
  ]);
  expect(refusal([tiled], { twice: integers([2, 1, 1, 1]) })).toEqual(['it changes a free axis']);
});

test('a step of a fused node that is not in base64 is refused by its name', () => {
  const attr = { ...window([1, 1, 1, 1], 'SAME'), fused_ops: { list: { s: ['A'] } } };
  const { refused } = written([node('y', '_FusedConv2D', ['x', 'w', 'b'], attr)], {
    w: constant([3, 3, 2, 3]),
    b: constant([3]),
  });
  expect(refused).toEqual([{ name: 'y', op: '_FusedConv2D', reason: "it is fused with 'A'" }]);
});

test('nodes without a form are all named, with the reason', () => {
  const { graph, refused } = written(
    [
      node('a', 'Cumsum', ['x', 'one']),
      node('b', 'Conv2D', ['x', 'w'], window([1, 1, 1, 1], 'FULL')),
      node('c', 'Conv2D', ['x', 'w'], { ...window([1, 1, 1, 1], 'SAME'), data_format: { s: btoa('NCHW') } }),
      node('d', 'Conv2D', ['x', 'x'], window([1, 1, 1, 1], 'SAME')),
      node('y', 'AddV2', ['a', 'b']),
    ],
    { one: integers([1], []), w: constant([3, 3, 2, 3]) },
  );
  expect(graph).toBeUndefined();
  expect(refused).toEqual([
    { name: 'a', op: 'Cumsum', reason: 'this operation has no form in ONNX here' },
    { name: 'b', op: 'Conv2D', reason: "its padding is 'FULL'" },
    { name: 'c', op: 'Conv2D', reason: 'its pictures have the channels first (NCHW)' },
    { name: 'd', op: 'Conv2D', reason: 'input 1 is computed, not a constant' },
  ]);
});
