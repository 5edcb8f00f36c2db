// A trunk of neither layers nor nodes: two convolutions by plain operations, one of them behind a normalisation with a
// fixed mean, the other behind a dropout and with a penalty on its kernel.
import * as tf from '@tensorflow/tfjs-core';
import { defineTrunk, type Trunk, type TrunkDefinition, type WrittenNodes } from '../../src/index.ts';
import { wave } from './tinyModel.ts';

type Weights = Readonly<Record<'mean' | 'kernel1' | 'bias1' | 'kernel2' | 'bias2', tf.Variable>>;

/** Two stages: [b, 8, 8, 3] → [b, 8, 8, 4] → [b, 4, 4, 6]. */
export function ownTrunk(changes: Partial<TrunkDefinition> = {}): Trunk {
  const weights = {
    mean: variable([3], 0.1, 0.5),
    kernel1: variable([3, 3, 3, 4], 0.4, 1),
    bias1: variable([4], 0.2, 2),
    kernel2: variable([3, 3, 4, 6], 0.3, 3),
    bias2: variable([6], 0.2, 4),
  };
  const { mean, kernel1, bias1, kernel2, bias2 } = weights;
  return defineTrunk({
    name: 'own',
    input: { shape: [null, 8, 8, 3], dtype: 'float32' },
    stages: [
      {
        name: 'conv1',
        layers: ['norm', 'conv1'],
        output: { shape: [null, 8, 8, 4], dtype: 'float32' },
        run: (x) => tf.relu(tf.add(tf.conv2d(tf.sub<tf.Tensor4D>(x, mean), kernel1 as tf.Tensor4D, 1, 'same'), bias1)),
      },
      {
        name: 'conv2',
        layers: ['drop', 'conv2'],
        output: { shape: [null, 4, 4, 6], dtype: 'float32' },
        stochastic: true,
        run: (x, seed) => {
          const kept = seed === undefined ? x : tf.dropout(x, 0.5, undefined, seed);
          return tf.relu6(tf.add(tf.conv2d(kept as tf.Tensor4D, kernel2 as tf.Tensor4D, 2, 'same'), bias2));
        },
      },
    ],
    weights: [
      { layer: 'norm', name: 'moving_mean', variable: mean },
      { layer: 'conv1', name: 'kernel', variable: kernel1 },
      { layer: 'conv1', name: 'bias', variable: bias1 },
      { layer: 'conv2', name: 'kernel', variable: kernel2 },
      { layer: 'conv2', name: 'bias', variable: bias2 },
    ],
    names: nodes.map(({ name }) => name),
    describeLayer: (layer) => ({ kind: layer === 'norm' ? 'Sub' : layer === 'drop' ? 'Dropout' : 'Conv2D' }),
    penalty: (moving) =>
      moving.some(({ layer }) => layer === 'conv2')
        ? tf.tidy(() => tf.mul<tf.Scalar>(tf.sum(tf.square(kernel2)), 0.01))
        : undefined,
    writeNodes: () => writeNodes(weights),
    ...changes,
  });
}

function variable(shape: number[], scale: number, phase: number): tf.Variable {
  const value = wave(shape, scale, phase);
  const made = tf.variable(value);
  value.dispose();
  return made;
}

const float = { type: 'DT_FLOAT' };
const text = (value: string) => ({ s: btoa(value) });

function convolution(name: string, x: string, stride: number) {
  const dilations = { list: { i: ['1', '1', '1', '1'] } };
  const strides = { list: { i: ['1', String(stride), String(stride), '1'] } };
  const attr = { T: float, strides, dilations, padding: text('SAME'), data_format: text('NHWC') };
  return { name, op: 'Conv2D', inputs: [x, name.replace('Conv2D', 'kernel')], attr };
}

const constant = (name: string) => ({ name, op: 'Const', inputs: [], attr: {} });
const operation = (name: string, op: string, ...inputs: string[]) => ({ name, op, inputs, attr: { T: float } });

const dim = ['-1', '8', '8', '3'].map((size) => ({ size }));
const nodes: WrittenNodes['nodes'] = [
  { name: 'picture', op: 'Placeholder', inputs: [], attr: { dtype: float, shape: { shape: { dim } } } },
  ...['norm/moving_mean', 'conv1/kernel', 'conv1/bias', 'conv2/kernel', 'conv2/bias'].map(constant),
  operation('norm', 'Sub', 'picture', 'norm/moving_mean'),
  convolution('conv1/Conv2D', 'norm', 1),
  operation('conv1/add', 'AddV2', 'conv1/Conv2D', 'conv1/bias'),
  operation('conv1', 'Relu', 'conv1/add'),
  convolution('conv2/Conv2D', 'conv1', 2),
  operation('conv2/add', 'AddV2', 'conv2/Conv2D', 'conv2/bias'),
  operation('conv2', 'Relu6', 'conv2/add'),
];

function writeNodes({ mean, kernel1, bias1, kernel2, bias2 }: Weights): WrittenNodes {
  const values = {
    'norm/moving_mean': mean,
    'conv1/kernel': kernel1,
    'conv1/bias': bias1,
    'conv2/kernel': kernel2,
    'conv2/bias': bias2,
  };
  const constants = new Map(Object.entries(values).map(([name, value]) => [name, tf.clone(value)]));
  return { nodes, input: 'picture', output: 'conv2', constants };
}
