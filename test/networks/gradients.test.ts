// Layers and nodes that tfjs cannot differentiate itself: what every trunk promises, and gradients against central
// differences.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type layers as tfjsLayers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBase } from '../../src/index.ts';
import { checkTrunk } from '../../src/testing.ts';
import { expectTrueWeightGradients } from '../support/gradients.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { trunkAsTested, useTestBackend } from '../support/testBackend.ts';
import { graphArtifacts, node, type Constant } from '../support/tinyGraph.ts';
import { setWeights, wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  await useTestBackend();
});

type Make = () => tfjsLayers.Layer[];

const sparse = { kernelSize: 3, dilationRate: 2 } as const;

const kinds: [string, Make, number[]][] = [
  ...[{ center: false }, { scale: false }, { center: false, scale: false }].flatMap(
    (lacking): [string, Make, number[]][] => {
      const without = `without ${Object.keys(lacking).join(' and ')}`;
      return [
        [`LayerNormalization ${without}`, () => [layers.layerNormalization(lacking)], [6, 5, 3]],
        // prettier-ignore
        [`LayerNormalization over two axes ${without}`, () => [layers.layerNormalization({ ...lacking, axis: [1, -1] })], [4, 5, 3]],
        [`BatchNormalization ${without}`, () => [layers.batchNormalization(lacking)], [6, 5, 3]],
      ];
    },
  ),
  ['LayerNormalization over the first axis', () => [layers.layerNormalization({ axis: 1 })], [4, 5, 3]],
  ['LayerNormalization of rows', () => [layers.layerNormalization({})], [7]],
  ...[true, false].flatMap((useBias): [string, Make, number[]][] =>
    (['same', 'valid'] as const).flatMap((padding): [string, Make, number[]][] => {
      const what = `${padding}, with${useBias ? '' : 'out'} bias`;
      const config = { ...sparse, padding, useBias };
      return [
        [`dilated Conv2D, ${what}`, () => [layers.conv2d({ ...config, filters: 2 })], [8, 9, 3]],
        [`dilated Conv1D, ${what}`, () => [layers.conv1d({ ...config, filters: 2 })], [9, 3]],
        // prettier-ignore
        [`dilated SeparableConv2D, ${what}`, () => [layers.separableConv2d({ ...config, filters: 2})], [8, 9, 3]],
      ];
    }),
  ),
  ['ThresholdedReLU', () => [layers.dense({ units: 3 }), layers.thresholdedReLU({ theta: 0.013 })], [5, 2]],
  ['dilated Conv2D with tanh', () => [layers.conv2d({ ...sparse, filters: 2, activation: 'tanh' })], [8, 9, 3]],
  [
    'padded dilated Conv2D with BatchNorm behind',
    () => [
      layers.zeroPadding2d({ padding: 2 }),
      layers.conv2d({ kernelSize: 3, filters: 2, dilationRate: [2, 3], useBias: false }),
      layers.batchNormalization({}),
    ],
    [8, 9, 3],
  ],
  [
    'Conv2D with the channels first',
    () => [layers.conv2d({ ...sparse, filters: 2, dataFormat: 'channelsFirst' })],
    [3, 8, 9],
  ],
];

describe('a network with', () => {
  test.each(kinds)('%s fulfils the contract of trunks, with exact gradients', async (_, make, shape) => {
    const source = sequential({ layers: [layers.inputLayer({ inputShape: shape }), ...make()] });
    setWeights(source);
    const input = wave([2, ...shape], 1, 0.3);
    const expected = tf.tidy(() => (source.predict(input) as tf.Tensor).dataSync());
    await expectNoLeak(async () => {
      const { trunk } = await loadBase(source, { cut: source.layers.at(-1)?.name ?? '' });
      trunkAsTested(trunk);
      const found = tf.tidy(() => trunk.run(input).dataSync());
      found.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i] ?? NaN, 5);
      });
      expectTrueWeightGradients(trunk, input);
      expect((await checkTrunk(trunk, input)).failed).toEqual([]);
    });
    source.dispose();
    input.dispose();
  });
});

const float = { type: 'DT_FLOAT' };
const text = (value: string) => ({ s: Buffer.from(value).toString('base64') });
const integers = (...values: number[]) => ({ list: { i: values.map(String) } });
const window = { padding: text('SAME'), data_format: text('NHWC'), strides: integers(1, 1, 1, 1) };
const bias = { fused_ops: { list: { s: [text('BiasAdd').s] } }, num_args: { i: '1' }, epsilon: { f: 0 } };
// prettier-ignore
const masks = { begin_mask: { i: '9' }, end_mask: { i: '9' }, ellipsis_mask: { i: '0' }, new_axis_mask: { i: '0' }, shrink_axis_mask: { i: '0' } };

interface Middle {
  readonly nodes: readonly object[];
  readonly constants?: readonly Constant[];
}

const whole = (name: string, values: number[]): Constant => ({ name, shape: [values.length], dtype: 'int32', values });
const weight = (name: string, shape: number[]): Constant => {
  const values = tf.tidy(() => wave(shape, 0.5, shape.length).dataSync());
  return { name, shape, dtype: 'float32', values };
};

/** What lies between a convolution with 4 channels, `conv`, and the mean over the places of `mid`. */
const middles: [string, () => Middle][] = [
  [
    'StridedSlice',
    () => ({
      nodes: [node('mid', 'StridedSlice', ['conv', 'b', 'e', 's'], masks)],
      constants: [whole('b', [0, 1, 1, 0]), whole('e', [0, 6, 7, 0]), whole('s', [1, 2, 1, 1])],
    }),
  ],
  [
    'DepthToSpace',
    () => ({ nodes: [node('mid', 'DepthToSpace', ['conv'], { block_size: { i: '2' }, data_format: text('NHWC') })] }),
  ],
  [
    'a choice by a comparison',
    () => ({
      nodes: [
        node('isLarge', 'GreaterEqual', ['conv', 'limit']),
        node('isSmall', 'Less', ['conv', 'limit']),
        node('isEither', 'LogicalOr', ['isLarge', 'isSmall']),
        node('isBoth', 'LogicalAnd', ['isEither', 'isSmall']),
        // The same on both sides: no slope jumps.
        node('same', 'Mul', ['conv', 'one']),
        node('mid', 'SelectV2', ['isBoth', 'same', 'conv']),
      ],
      constants: [
        { name: 'limit', shape: [], dtype: 'float32', values: [0] },
        { name: 'one', shape: [], dtype: 'float32', values: [1] },
      ],
    }),
  ],
  [
    'a fused dilated Conv2D',
    () => ({
      nodes: [
        node('mid', '_FusedConv2D', ['conv', 'k2', 'b2'], { ...window, ...bias, dilations: integers(1, 2, 2, 1) }),
      ],
      constants: [weight('k2', [3, 3, 4, 2]), weight('b2', [2])],
    }),
  ],
  [
    'a fused dilated depthwise Conv2D',
    () => ({
      // prettier-ignore
      nodes: [node('mid', 'FusedDepthwiseConv2dNative', ['conv', 'k2', 'b2'], { ...window, ...bias, dilations: integers(1, 2, 1, 1) })],
      constants: [weight('k2', [3, 3, 4, 1]), weight('b2', [4])],
    }),
  ],
  [
    'a normalisation by moments',
    () => ({
      nodes: [
        node('mean', 'Mean', ['conv', 'last'], { T: float, keep_dims: { b: true } }),
        node('distance', 'SquaredDifference', ['mean', 'conv']),
        node('variance', 'Mean', ['distance', 'last'], { T: float, keep_dims: { b: true } }),
        node('shifted', 'AddV2', ['variance', 'epsilon']),
        node('inverse', 'Rsqrt', ['shifted']),
        node('centred', 'Sub', ['conv', 'mean']),
        node('mid', 'Mul', ['centred', 'inverse']),
      ],
      constants: [whole('last', [3]), { name: 'epsilon', shape: [], dtype: 'float32', values: [0.01] }],
    }),
  ],
  [
    'a resizing with half pixels',
    () => ({
      // prettier-ignore
      nodes: [node('mid', 'ResizeBilinear', ['conv', 'size'], { align_corners: { b: false }, half_pixel_centers: { b: true } })],
      constants: [whole('size', [11, 5])],
    }),
  ],
];

/** Einstein sums are slow on tfjs's cpu backend, and there they are tfjs's own. */
const einsum: [string, () => Middle] = [
  'Einsum',
  () => ({
    nodes: [node('mid', 'Einsum', ['conv', 'k2'], { N: { i: '2' }, equation: text('abcd,de->abce') })],
    constants: [weight('k2', [4, 3])],
  }),
];

describe('a GraphModel with', () => {
  test.each([...middles, einsum])('%s fulfils the contract of trunks, with exact gradients', async (_, make) => {
    const { nodes, constants = [] } = make();
    const dim = [-1, 8, 8, 3].map((size) => ({ size: String(size) }));
    const all = [
      node('x', 'Placeholder', [], { dtype: float, shape: { shape: { dim } } }),
      node('conv', 'Conv2D', ['x', 'k'], { ...window, T: float, dilations: integers(1, 1, 1, 1) }),
      ...nodes,
      node('pool', 'Mean', ['mid', 'axes'], { T: float, keep_dims: { b: false } }),
      node('out', 'Softmax', ['pool']),
    ];
    const artifacts = graphArtifacts(all, [whole('axes', [1, 2]), weight('k', [3, 3, 3, 4]), ...constants]);
    const input = wave([2, 8, 8, 3], 1, 0.3);
    await expectNoLeak(async () => {
      const { trunk } = await loadBase({ load: () => Promise.resolve(artifacts) }, { cut: 'mid' });
      expectTrueWeightGradients(trunk, input);
      expect((await checkTrunk(trunk, input)).failed).toEqual([]);
    });
    input.dispose();
  });
});
