// Folded parts on this package's kernels: formulas of activations are one kernel, or the last step of the kernel before.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeGraph, NodeSpec } from '../../src/core/graphs.ts';
import { ownNodes } from '../../src/networks/engines/ownNodes.ts';
import { ActivationOf } from '../../src/networks/layers/activationOf.ts';
import { registerLayers } from '../../src/networks/layers/registerLayers.ts';
import { useBackend } from '../../src/useBackend.ts';
import { branch, call, compare, expectKernels, inputOf, trunkOf, type Part } from '../support/foldedTrunks.ts';
import { relativeError } from '../support/tensors.ts';

const conv = (config: object = {}) => layers.conv2d({ filters: 6, kernelSize: 3, ...config });
const depthwise = (config: object = {}) => layers.depthwiseConv2d({ kernelSize: 3, ...config });
const bend = (activation: string) => new ActivationOf({ activation });
const names = ['silu', 'hard_silu', 'hard_sigmoid', 'gelu', 'gelu_tanh'];

beforeAll(async () => {
  await useBackend('wasm', { kernels: true });
  registerLayers();
});

describe('kernels take in', () => {
  test.each(names)('%s', async (name) => {
    await expectKernels([conv({ strides: 2 }), layers.batchNormalization({}), bend(name)], ['TransferkitConvolution']);
    await expectKernels([conv({ useBias: false, padding: 'same' }), bend(name)], ['TransferkitConvolution']);
    const padded = [layers.zeroPadding2d({ padding: [[1, 2], [0, 1]] }), depthwise({ strides: 2 }), bend(name)]; // prettier-ignore
    await expectKernels(padded, ['TransferkitDepthwise']);
    await expectKernels([layers.dense({ units: 5 }), bend(name)], ['TransferkitProduct'], [7]);
    await expectKernels([conv({ dilationRate: 2 }), bend(name)], ['TransferkitConvolution']);
  });
});

test('what they do not compute runs in turn, with the activation as one kernel', async () => {
  await expectKernels([depthwise({ depthMultiplier: 2 }), bend('silu')], [
    'FusedDepthwiseConv2D',
    'TransferkitActivation',
  ]); // prettier-ignore
  await expectKernels([layers.maxPooling2d({}), bend('gelu')], ['MaxPool', 'TransferkitActivation']);
});

test('LayerNormalization over the last axis is one kernel, of any weights', async () => {
  for (const config of [{}, { scale: false }, { center: false, epsilon: 1e-6 }]) {
    await expectKernels([layers.layerNormalization(config), conv()], ['TransferkitLayerNorm', 'FusedConv2D']);
  }
  const { kernels } = await compare(await trunkOf([layers.layerNormalization({ scale: false, center: false })]));
  expect(kernels).not.toContain('TransferkitLayerNorm');
});

describe('1×1 convolutions take in', () => {
  const narrow = () => layers.conv2d({ filters: 5, kernelSize: 1 });
  const norm = () => layers.batchNormalization({});
  const relu = () => layers.reLU({});
  /** A value and what a convolution makes of it, side by side. */
  const grown = (inner: readonly Part[]) =>
    branch((x) => call(layers.concatenate({}), [x, inner.reduce((value, part) => call(part, value), x)]));

  test('BatchNorm and relu before them, and concatenations before those', async () => {
    await expectKernels([norm(), relu(), narrow()], ['TransferkitGatheredConvolution']);
    const dense = () => grown([norm(), relu(), narrow(), norm(), relu(), conv({ padding: 'same' })]);
    const layer = ['TransferkitGatheredConvolution', 'FusedConv2D'];
    await expectKernels(
      [dense(), dense(), dense(), norm(), relu(), narrow()],
      [...layer, ...layer, ...layer, 'TransferkitGatheredConvolution'],
    );
  });

  test('nothing that something else reads, and no larger windows', async () => {
    const around = branch((x) => {
      const scaled = [norm(), relu()].reduce((value, part) => call(part, value), x);
      return call(layers.concatenate({}), [scaled, call(narrow(), scaled)]);
    });
    await expectKernels([around], ['FusedDepthwiseConv2D', 'FusedConv2D', 'Concat']);
    await expectKernels([norm(), relu(), conv()], ['FusedDepthwiseConv2D', 'FusedConv2D']);
    await expectKernels(
      [norm(), relu(), layers.conv2d({ filters: 5, kernelSize: 1, strides: 2 })],
      ['FusedDepthwiseConv2D', 'FusedConv2D'],
    );
  });

  test('concatenations that are left are one', async () => {
    const parts = [grown([relu()]), grown([relu()]), grown([relu()])];
    const { kernels } = await compare(await trunkOf(parts));
    expect(kernels.filter((name) => name === 'Concat')).toHaveLength(1 + 2);
  });
});

test('an output that something else reads is kept', async () => {
  const around = branch((x) => call(layers.add(), [call(bend('silu'), x), x]));
  const trunk = await trunkOf([conv(), around]);
  const { kernels } = await compare(trunk);
  expect(kernels).toEqual(['FusedConv2D', 'TransferkitActivation', 'Add']);
});

describe('a folded part that was made with the kernels', () => {
  afterAll(async () => {
    await useBackend('wasm', { kernels: true });
  });

  test('runs without them, on other backends, and within gradients', async () => {
    const trunk = await trunkOf([conv(), bend('silu'), depthwise(), bend('hard_silu')]);
    const part = await trunk.fold();
    const values = inputOf(trunk);
    const x = values.arraySync();
    const expected = trunk.run(values, { fused: false }).dataSync();
    tf.dispose(values);
    const synchronous = (input: tf.Tensor): tf.Tensor => {
      const output = part.run(input);
      if (output instanceof Promise) throw new Error('this engine gives its results at once');
      return output;
    };
    const run = () => tf.tidy(() => synchronous(tf.tensor(x as number[])).dataSync());
    const difference = (found: ArrayLike<number>) =>
      relativeError(tf.tensor1d([...Array.from(found)]), tf.tensor1d(expected));
    expect(difference(run())).toBeLessThan(1e-5);
    const slope = tf.tidy(() =>
      tf
        .grad((y) => tf.sum(synchronous(y)))(tf.tensor(x as number[]))
        .dataSync(),
    );
    expect(slope.some((value) => value !== 0)).toBe(true);
    await useBackend('wasm', { kernels: false });
    expect(difference(run())).toBeLessThan(1e-5);
    part.dispose();
    trunk.dispose();
  });
});

/** A graph of operations on `x`, and numbers. */
function graphOf(
  nodes: readonly (readonly [string, string, ...string[]])[],
  numbers: Readonly<Record<string, number>>,
) {
  const made: NodeSpec[] = [
    { name: 'x', op: 'Placeholder', inputs: [], attr: {} },
    ...Object.keys(numbers).map((name) => ({ name, op: 'Const', inputs: [], attr: {} })),
    ...nodes.map(([name, op, ...inputs]) => ({ name, op, inputs, attr: {} })),
  ];
  const graph: NodeGraph = { name: 'it', nodes: made, input: 'x', outputs: [nodes.at(-1)![0]], rest: {} };
  return { graph, constants: new Map(Object.entries(numbers).map(([name, value]) => [name, tf.scalar(value)])) };
}

/** The activation that is found in formulas, in the order of their last nodes. */
function foundIn(...[nodes, numbers]: Parameters<typeof graphOf>): unknown {
  const { graph, constants } = graphOf(nodes, numbers);
  const own = ownNodes(graph, constants);
  tf.dispose([...constants.values()]);
  return own?.nodes.filter(({ op }) => op.startsWith('Transferkit')).map(({ attr }) => attr.activation);
}

const named = (name: string) => [{ s: btoa(name) }];

test('formulas as converters write them', () => {
  const six = { three: 3, six: 6, sixth: 1 / 6 };
  const raised = [
    ['a', 'AddV2', 'x', 'three'],
    ['b', 'Relu6', 'a'],
  ] as const;
  expect(foundIn([['s', 'Sigmoid', 'x'], ['y', 'Mul', 's', 'x']], {})).toEqual(named('silu')); // prettier-ignore
  expect(foundIn([...raised, ['c', 'Mul', 'b', 'sixth'], ['y', 'Mul', 'x', 'c']], six)).toEqual(named('hard_silu'));
  expect(foundIn([...raised, ['c', 'Mul', 'x', 'b'], ['y', 'RealDiv', 'c', 'six']], six)).toEqual(named('hard_silu'));
  expect(foundIn([...raised, ['y', 'Mul', 'sixth', 'b']], six)).toEqual(named('hard_sigmoid_relu6'));
  const erf = { root: Math.SQRT1_2, one: 1, half: 0.5 };
  const part = [['a', 'Mul', 'x', 'root'], ['b', 'Erf', 'a'], ['c', 'Add', 'b', 'one']] as const; // prettier-ignore
  expect(foundIn([...part, ['h', 'Mul', 'half', 'x'], ['y', 'Mul', 'h', 'c']], erf)).toEqual(named('gelu'));
  expect(foundIn([...part, ['h', 'Mul', 'c', 'half'], ['y', 'Mul', 'x', 'h']], erf)).toEqual(named('gelu'));
});

test('formulas with another number, another value or another reader are not taken', () => {
  const raised = [['a', 'AddV2', 'x', 'three'], ['b', 'Relu6', 'a']] as const; // prettier-ignore
  expect(foundIn([...raised, ['y', 'Mul', 'b', 'fifth']], { three: 3, fifth: 0.2 })).toBeUndefined();
  expect(foundIn([['s', 'Sigmoid', 'x'], ['r', 'Relu', 'x'], ['y', 'Mul', 's', 'r']], {})).toBeUndefined(); // prettier-ignore
  const twice = [['s', 'Sigmoid', 'x'], ['m', 'Mul', 's', 'x'], ['y', 'Add', 'm', 's']] as const; // prettier-ignore
  expect(foundIn(twice, {})).toBeUndefined();
});
