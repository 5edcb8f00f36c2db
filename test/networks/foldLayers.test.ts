// Layers prepared for inference, one kind after the other: fused, they give what they give one by one.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { ActivationOf } from '../../src/networks/layers/activationOf.ts';
import { GlobalAveragePooling2DKeepDims, GlobalMaxPooling2DKeepDims } from '../../src/networks/layers/globalPooling.ts';
import { GroupedConv2D } from '../../src/networks/layers/groupedConv2D.ts';
import { Normalization } from '../../src/networks/layers/normalization.ts';
import { registerLayers } from '../../src/networks/layers/registerLayers.ts';
import { HalfPixelResizing } from '../../src/networks/layers/resizing.ts';
import { AddConstant, CustomScaleLayer, LayerScale, MultiplyConstant } from '../../src/networks/layers/scaling.ts';
import { useBackend } from '../../src/useBackend.ts';
import { branch, call, compare, expectKernels, trunkOf, type Part } from '../support/foldedTrunks.ts';
import { isOwnEngine } from '../support/testBackend.ts';

const conv = (config: object = {}) => layers.conv2d({ filters: 6, kernelSize: 3, ...config });
const depthwise = (config: object = {}) => layers.depthwiseConv2d({ kernelSize: 3, ...config });
const norm = (config: object = {}) => layers.batchNormalization(config);
const relu6 = () => layers.reLU({ maxValue: 6 });
const activation = (name: string) => layers.activation({ activation: name as 'relu' });

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerLayers();
  });

  describe('kernels include', () => {
    test('BatchNorm with and without gamma and beta', async () => {
      await expectKernels([conv(), norm()], ['FusedConv2D']);
      await expectKernels([conv({ useBias: false }), norm({ scale: false })], ['FusedConv2D']);
      await expectKernels([depthwise(), norm({ center: false }), relu6()], ['FusedDepthwiseConv2D']);
      await expectKernels([depthwise({ depthMultiplier: 2, useBias: false }), norm()], ['FusedDepthwiseConv2D']);
      await expectKernels([layers.dense({ units: 5 }), norm(), relu6()], ['_FusedMatMul'], [7]);
    });

    test('padding, even and uneven', async () => {
      const pads = [
        1,
        [2, 1],
        [
          [0, 1],
          [0, 1],
        ],
        [
          [3, 0],
          [1, 2],
        ],
      ] as [[number, number], [number, number]][];
      for (const padding of pads) {
        const pad = () => layers.zeroPadding2d({ padding });
        await expectKernels([pad(), conv({ strides: 2 }), norm(), relu6()], ['FusedConv2D']);
        await expectKernels([pad(), depthwise({ strides: 2 }), relu6()], ['FusedDepthwiseConv2D']);
        const separable = layers.separableConv2d({ filters: 5, kernelSize: 3 });
        await expectKernels([pad(), separable, norm()], ['DepthwiseConv2dNative', 'FusedConv2D']);
      }
      await expectKernels([layers.zeroPadding2d({}), conv({ padding: 'same' })], ['PadV2', 'FusedConv2D']);
    });

    test('windows of every kind', async () => {
      const kinds = [{ strides: [2, 1] }, { padding: 'same', strides: 2 }, { dilationRate: 2 }, { kernelSize: [1, 3] }];
      for (const kind of kinds) await expectKernels([conv(kind), norm()], ['FusedConv2D']);
      await expectKernels([layers.conv1d({ filters: 3, kernelSize: 3, strides: 2 }), norm()], ['FusedConv2D'], [9, 4]);
      await expectKernels([layers.conv1d({ filters: 3, kernelSize: 2, dilationRate: 2 })], ['FusedConv2D'], [9, 4]);
      for (const shape of [
        [5, 4],
        [3, 2, 4],
      ]) {
        await expectKernels([layers.dense({ units: 5 }), norm(), relu6()], ['FusedConv2D'], shape);
      }
    });

    test('groups of channels', async () => {
      const grouped = (config: object) => new GroupedConv2D({ kernelSize: 3, ...config });
      await expectKernels([grouped({ filters: 8, groups: 4 }), norm(), relu6()], ['FusedDepthwiseConv2D']);
      await expectKernels([grouped({ filters: 6, groups: 1, dilationRate: 2 }), norm()], ['FusedConv2D']);
      const two = ['SplitV', 'FusedConv2D', 'FusedConv2D', 'Concat'];
      await expectKernels([grouped({ filters: 6, groups: 2 }), norm(), relu6()], two);
      await expectKernels([layers.zeroPadding2d({}), grouped({ filters: 6, groups: 2, useBias: false }), relu6()], two);
    });

    test('the activations that their nodes support', async () => {
      for (const name of ['relu', 'elu', 'sigmoid']) {
        await expectKernels([conv(), norm(), activation(name)], ['FusedConv2D']);
        await expectKernels([depthwise(), activation(name)], ['FusedDepthwiseConv2D']);
        await expectKernels([layers.dense({ units: 3 }), activation(name)], ['_FusedMatMul'], [4]);
      }
      const leaky = () => layers.leakyReLU({ alpha: 0.1 });
      await expectKernels([conv(), norm(), leaky()], ['FusedConv2D']);
      await expectKernels([layers.dense({ units: 3 }), leaky()], ['_FusedMatMul'], [4]);
      await expectKernels([depthwise(), leaky()], ['FusedDepthwiseConv2D', 'LeakyRelu']);
      await expectKernels([conv({ activation: 'relu', useBias: false })], ['FusedConv2D']);
      await expectKernels([conv({ activation: 'relu' }), norm(), relu6()], ['FusedConv2D', 'FusedDepthwiseConv2D']);
    });
  });

  test('every activation can be written as nodes', async () => {
    const names = ['linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'softplus', 'softsign', 'tanh'];
    names.push('softmax', 'logSoftmax', 'gelu', 'mish', 'swish');
    const own = ['celu', 'exponential', 'gelu_tanh', 'hard_sigmoid', 'hard_silu', 'hard_tanh', 'leaky_relu'];
    own.push('log_sigmoid', 'silu', 'tanh_shrink');
    const kinds = [
      ...names.map((name) => () => activation(name)),
      ...own.map((name) => () => new ActivationOf({ activation: name })),
      () => layers.reLU({ maxValue: 2 }),
      () => layers.softmax({ axis: -1 }),
      () => layers.prelu({ sharedAxes: [1, 2] }),
    ];
    for (const kind of kinds) {
      const text = JSON.stringify(kind().getConfig());
      expect((await compare(await trunkOf([kind()]))).unfolded, text).toEqual([]);
      expect((await compare(await trunkOf([conv(), kind()]))).unfolded, text).toEqual([]);
    }
  });

  test('BatchNorm without a kernel before it is one pass, over other axes two', async () => {
    await expectKernels([relu6(), norm(), activation('relu')], ['Relu6', 'FusedDepthwiseConv2D']);
    await expectKernels([relu6(), norm()], ['Relu6', 'FusedDepthwiseConv2D']);
    await expectKernels([norm({ axis: 1 }), relu6()], ['Multiply', 'Add', 'Relu6']);
    await expectKernels([conv(), norm({ axis: 2 })], ['FusedConv2D', 'Multiply', 'Add']);
    await expectKernels([norm()], ['Multiply', 'Add'], [5]);
  });

  test('pools', async () => {
    const windows = [
      { poolSize: 2 },
      { poolSize: 3, strides: 2, padding: 'same' },
      { poolSize: [2, 3], strides: [1, 2] },
    ] as object[];
    for (const config of windows) {
      await expectKernels([layers.averagePooling2d(config)], ['AvgPool']);
      await expectKernels([layers.maxPooling2d(config)], ['MaxPool']);
    }
    await expectKernels([layers.averagePooling1d({ poolSize: 2, padding: 'same' })], ['AvgPool'], [7, 4]);
    await expectKernels([layers.maxPooling1d({ poolSize: 3, strides: 1 })], ['MaxPool'], [7, 4]);
    await expectKernels([layers.globalAveragePooling2d({})], ['AvgPool']);
    await expectKernels([layers.globalMaxPooling2d({})], ['MaxPool']);
    await expectKernels([new GlobalAveragePooling2DKeepDims({})], ['AvgPool']);
    await expectKernels([new GlobalMaxPooling2DKeepDims({})], ['MaxPool']);
    await expectKernels([layers.globalAveragePooling2d({})], ['Mean'], [1, 1, 4]);
    for (const whole of [layers.globalAveragePooling1d({}), layers.globalMaxPooling1d()]) {
      expect((await compare(await trunkOf([whole], [7, 4]))).unfolded).toEqual([]);
    }
  });

  test('joins tensors', async () => {
    const joined = (layer: Part) => branch((x) => call(layer, [call(relu6(), x), call(activation('tanh'), x), x]));
    const kinds = [layers.add(), layers.multiply(), layers.average(), layers.maximum(), layers.minimum()];
    for (const kind of [...kinds, layers.concatenate(), layers.concatenate({ axis: 1 })]) {
      expect((await compare(await trunkOf([joined(kind)]))).unfolded, kind.name).toEqual([]);
    }
    const two = (layer: Part) => branch((x) => call(layer, [call(relu6(), x), x]));
    await expectKernels([two(new CustomScaleLayer({ scale: 0.2 }))], ['Relu6', 'Multiply', 'Add']);
  });

  test('moves, adds and drops pixels and axes', async () => {
    const kinds: [Part, number[]?][] = [
      [layers.flatten()],
      [layers.reshape({ targetShape: [9, -1] })],
      [layers.permute({ dims: [3, 1, 2] })],
      [
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 3],
          ],
        }),
      ],
      [
        layers.cropping2D({
          cropping: [
            [1, 2],
            [0, 3],
          ],
        }),
      ],
      [layers.upSampling2d({ size: [2, 3] })],
      [layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' })],
      ...['bilinear', 'nearest'].flatMap((interpolation): [Part][] => [
        [new HalfPixelResizing({ height: 13, width: 5, interpolation })],
        [new HalfPixelResizing({ factor: 2, interpolation })],
      ]),
      [layers.dropout({ rate: 0.5 })],
      [layers.gaussianNoise({ stddev: 1 })],
    ];
    for (const [kind, shape] of kinds) expect((await compare(await trunkOf([kind], shape))).unfolded).toEqual([]);
  });

  test('scales and normalises', async () => {
    const mean = [0.5, -1, 2, 0];
    const variance = [1, 4, 0.25, 0];
    const kinds: Part[] = [
      new AddConstant({ value: [1, 2, 3, 4] }),
      new MultiplyConstant({ value: 0.5 }),
      new LayerScale({ initValues: 0.3, projectionDim: 4 }),
      layers.layerNormalization({}),
      layers.layerNormalization({ center: false, scale: false, epsilon: 0.1 }),
      new Normalization({ mean, variance: [1, 4, 0.25, 2] }),
      new Normalization({ mean, variance, invert: true }),
      new Normalization({ axis: [1, -1] }),
      new Normalization({ axis: null }),
      layers.rescaling({ scale: 1 / 127.5, offset: -1 }),
      layers.rescaling({ scale: 0.1 }),
    ];
    for (const kind of kinds) expect((await compare(await trunkOf([kind]))).unfolded).toEqual([]);
  });

  test('whole numbers that are rescaled', async () => {
    const trunk = await trunkOf([layers.rescaling({ scale: 1 / 255 }), conv(), norm()], [8, 8, 3], 'int32');
    expect(trunk.input.dtype).toBe('int32');
    expect((await compare(trunk)).unfolded).toEqual([]);
  });

  test('a layer that is called twice, with another BatchNorm each time', async () => {
    const shared = conv({ filters: 4, padding: 'same' });
    const bn = norm();
    await expectKernels(
      [shared, norm(), relu6(), shared, bn, relu6(), shared, bn],
      Array<string>(3).fill('FusedConv2D'),
    );
  });

  test('a value with two readers is not fused', async () => {
    const shared = branch((x) => {
      const middle = call(conv({ padding: 'same', filters: 4 }), x);
      return call(layers.add(), [call(relu6(), call(norm(), middle)), middle]);
    });
    await expectKernels([shared], ['FusedConv2D', 'FusedDepthwiseConv2D', 'Add']);
  });
});

describe('a layer that cannot be written as nodes', () => {
  const first = (config: object = {}) => conv({ dataFormat: 'channelsFirst', padding: 'same', filters: 4, ...config });

  test('runs unchanged, with the other layers fused', async () => {
    const parts = [
      conv(),
      norm(),
      relu6(),
      conv({ dataFormat: 'channelsFirst', name: 'odd', filters: 7 }),
      conv({ padding: 'same' }),
      norm(),
    ];
    const { unfolded, kernels } = await compare(await trunkOf(parts));
    expect(unfolded).toEqual(['odd']);
    if (isOwnEngine) expect(kernels.filter((name) => name.includes('Conv'))).toHaveLength(3);
    expect(kernels).not.toContain('Multiply');
    expect((await compare(await trunkOf([first()]))).unfolded).toHaveLength(1);
  });

  test('is one with channels first, LayerNorm over several axes, or a sum of unequal ranks', async () => {
    const unequal = branch((x) => call(layers.add(), [x, call(layers.globalAveragePooling2d({}), x)]));
    const kinds: Part[] = [
      layers.maxPooling2d({ dataFormat: 'channelsFirst', name: 'it' }),
      layers.layerNormalization({ axis: [1, 2, 3], name: 'it' }),
      layers.conv2dTranspose({ filters: 3, kernelSize: 2, name: 'it' }),
      new ActivationOf({ activation: 'squareplus', name: 'it' }),
    ];
    for (const kind of kinds)
      expect((await compare(await trunkOf([conv(), kind], [8, 8, 4]))).unfolded).toEqual(['it']);
    expect((await compare(await trunkOf([unequal], [4, 4, 4]))).unfolded).toHaveLength(1);
  });

  test('is a cropping of a free size', async () => {
    const cropping = (rows: [number, number]) => layers.cropping2D({ cropping: [rows, [1, 0]], name: 'it' });
    for (const rows of [
      [0, 0],
      [1, 2],
    ] as [number, number][]) {
      const trunk = await trunkOf([cropping(rows), conv(), norm()], [null, null, 4]);
      expect(trunk.output.shape).toEqual([null, null, null, 6]);
      expect((await compare(trunk)).unfolded).toEqual(['it']);
    }
  });

  test('does not write a layer whose name is registered with another class', async () => {
    class Other extends layers.Layer {
      static readonly className = 'LayerScale';
      override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.tidy(() => tf.add(Array.isArray(x) ? x[0]! : x, 100));
      }
    }
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    const own = classNameMap.LayerScale!;
    tf.serialization.registerClass(Other);
    try {
      const { unfolded } = await compare(await trunkOf([conv(), new Other({ name: 'foreign' }), conv()]));
      expect(unfolded).toEqual(['foreign']);
    } finally {
      classNameMap.LayerScale = own;
    }
  });
});
