// Biases that make up for rounded kernels: where they are found, and by how much they change.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import type { NodeSpec } from '../../src/core/graphs.ts';
import { kernelsIn, scaleKernels } from '../../src/networks/write/channelScales.ts';
import { correctedBiases } from '../../src/networks/write/correctBiases.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { convolution, text } from '../support/tinyGraph.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const at = (name: string, op: string, inputs: string[], attr = {}): NodeSpec => ({ name, op, inputs, attr });
const fused = { ...convolution, fused_ops: { list: { s: [text('BiasAdd').s] } }, num_args: { i: '1' } };

/** Corrected biases for a kernel [1, 1, 2, 3] (depthwise: [1, 2, 2, 1]), and the change that is to be. */
async function corrected(after: readonly NodeSpec[], op = 'Conv2D', attr: object = convolution, bias: string[] = []) {
  const isDepthwise = op !== 'Conv2D' && op !== '_FusedConv2D';
  const kernel = isDepthwise
    ? tf.tensor4d([0.301, -0.77, 0.1, 0.5], [1, 2, 2, 1])
    : tf.tensor4d([0.3, 1, -0.2, 0.7, 0.01, 2], [1, 1, 2, 3]);
  const outputs = isDepthwise ? 2 : 3;
  const constants = new Map<string, tf.Tensor>([
    ['k', kernel],
    ['b', tf.ones([outputs])],
    ['f', tf.range(1, outputs + 1)],
  ]);
  const nodes = [at('conv', op, ['x', 'k', ...bias], { ...attr }), ...after];
  const graph = { name: 'g', nodes, input: 'x', outputs: [], rest: {} };
  const kernels = kernelsIn(graph, constants);
  const scaled = scaleKernels(kernels.values(), constants);
  const mean = tf.tensor1d([3, 5]);
  const found = correctedBiases({ nodes, kernels, scaled, constants }, new Map([['x', mean]]));
  const { whole, scale } = scaled.get('k') ?? { whole: kernel, scale: kernel };
  const lost = tf.tidy(() => {
    const error = tf.sub(kernel, tf.mul(whole, scale));
    const weighted = tf.mul(error, tf.reshape(mean, [1, 1, 2, 1]));
    return [...tf.reshape(tf.sum(weighted, isDepthwise ? [0, 1] : [0, 1, 2]), [outputs]).dataSync()];
  });
  const values = await Promise.all([...found].map(async ([name, value]) => [name, [...(await value.data())]] as const));
  tf.dispose([mean, whole, scale, ...constants.values(), ...found.values()]);
  return { found: Object.fromEntries(values), lost };
}

test.each([
  ['of the node itself', [], '_FusedConv2D', fused, ['b'], 0],
  ['of the next node', [at('add', 'BiasAdd', ['conv', 'b'])], 'Conv2D', convolution, [], 0],
  ['after a depthwise kernel', [at('add', 'AddV2', ['conv:0', 'b'])], 'DepthwiseConv2dNative', convolution, [], 0],
  ['after a factor', [at('mul', 'Mul', ['conv', 'f']), at('add', 'Add', ['b', 'mul'])], 'Conv2D', convolution, [], 1],
] as const)('the bias %s', async (_, after, op, attr, bias, step) => {
  await expectNoLeak(async () => {
    const { found, lost } = await corrected(after, op, attr, [...bias]);
    expect(Math.max(...lost.map(Math.abs))).toBeGreaterThan(1e-4);
    expect(found).toEqual({ b: lost.map((value, i): unknown => expect.closeTo(1 + value * (1 + step * i), 6)) });
  });
});

test.each([
  ['that several nodes read', [at('add', 'Add', ['conv', 'b']), at('again', 'Relu', ['b'])]],
  ['after another operation', [at('bent', 'Relu', ['conv']), at('add', 'Add', ['bent', 'b'])]],
  ['of a node whose output is read elsewhere too', [at('add', 'Add', ['conv', 'b']), at('bent', 'Relu', ['conv'])]],
] as const)('no bias %s', async (_, after) => {
  expect((await corrected(after)).found).toEqual({});
});
