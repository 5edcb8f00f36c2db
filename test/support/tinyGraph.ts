// One small network in both of tfjs's forms, with the same weights: a LayersModel, and the GraphModel that a converter
// would make of it, with TF Hub's preprocessing (2 x - 1) in front.
import type { io } from '@tensorflow/tfjs-core';
import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { setWeights } from './tinyModel.ts';

type Inputs = SymbolicTensor | SymbolicTensor[];

/** The LayersModel; takes what the graph's `hub_input/Sub` gives. */
export function tinyLayers(): LayersModel {
  const apply = (layer: { apply(x: Inputs): unknown }, x: Inputs) => layer.apply(x) as SymbolicTensor;
  const input = layers.input({ shape: [8, 8, 3], name: 'images' });
  let x = apply(layers.conv2d({ name: 'conv1', filters: 6, kernelSize: 3, padding: 'same', useBias: false }), input);
  x = apply(layers.batchNormalization({ name: 'bn1' }), x);
  const entry = apply(layers.reLU({ name: 'relu1', maxValue: 6 }), x);
  x = apply(layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, padding: 'same' }), entry);
  x = apply(layers.activation({ name: 'relu2', activation: 'relu' }), x);
  x = apply(layers.conv2d({ name: 'project', filters: 6, kernelSize: 1 }), x);
  x = apply(layers.add({ name: 'add' }), [entry, x]);
  x = apply(layers.globalAveragePooling2d({ name: 'pool' }), x);
  x = apply(layers.dense({ name: 'classifier', units: 5, activation: 'softmax' }), x);
  const built = model({ inputs: input, outputs: x, name: 'pair' });
  setWeights(built);
  return built;
}

const float = { type: 'DT_FLOAT' };
/** A text attribute. */
export const text = (value: string) => ({ s: Buffer.from(value).toString('base64') });
const ones = { list: { i: ['1', '1', '1', '1'] } };
/** The attributes of a convolution of stride 1. */
export const convolution = {
  T: float,
  padding: text('SAME'),
  data_format: text('NHWC'),
  strides: ones,
  dilations: ones,
};

/** One node as the converter writes it. */
export function node(name: string, op: string, input: string[] = [], attr: object = { T: float }): object {
  return { name, op, input, attr };
}

/** The input of a graph. */
export function placeholder(shape: readonly number[], name = 'images'): object {
  const dim = shape.map((size) => ({ size: String(size) }));
  return node(name, 'Placeholder', [], { dtype: float, shape: { shape: { dim } } });
}

/** The nodes of the GraphModel, constants aside. */
export function tinyNodes(shape: readonly number[] = [-1, 8, 8, 3]): object[] {
  return [
    placeholder(shape),
    node('hub_input/Mul', 'Mul', ['images', 'hub_input/Mul/y']),
    node('hub_input/Sub', 'Sub', ['hub_input/Mul', 'hub_input/Sub/y']),
    node('net/conv1', 'Conv2D', ['hub_input/Sub', 'conv1/kernel'], convolution),
    node(
      'net/bn1',
      'FusedBatchNormV3',
      ['net/conv1', 'bn1/gamma', 'bn1/beta', 'bn1/moving_mean', 'bn1/moving_variance'],
      { T: float, epsilon: { f: 0.001 }, is_training: { b: false }, data_format: text('NHWC') },
    ),
    node('net/relu1', 'Relu6', ['net/bn1']),
    node('net/depthwise/depthwise', 'DepthwiseConv2dNative', ['net/relu1', 'depthwise/depthwise_kernel'], convolution),
    node('net/depthwise/BiasAdd', 'BiasAdd', ['net/depthwise/depthwise', 'depthwise/bias']),
    node('net/relu2', 'Relu', ['net/depthwise/BiasAdd:0']),
    node('net/project', '_FusedConv2D', ['net/relu2', 'project/kernel', 'project/bias'], {
      ...convolution,
      fused_ops: { list: { s: [text('BiasAdd').s] } },
      num_args: { i: '1' },
      epsilon: { f: 0 },
    }),
    node('net/add', 'AddV2', ['net/relu1', 'net/project']),
    node('net/pool', 'Mean', ['net/add', 'net/pool/axes'], { T: float, keep_dims: { b: false } }),
    node('net/classifier/MatMul', 'MatMul', ['net/pool', 'classifier/kernel'], {
      T: float,
      transpose_a: { b: false },
      transpose_b: { b: false },
    }),
    node('net/classifier/BiasAdd', 'BiasAdd', ['net/classifier/MatMul', 'classifier/bias']),
    node('net/classifier/Softmax', 'Softmax', ['net/classifier/BiasAdd']),
  ];
}

/** A weight of a model.json: name, values, and how they are stored. */
export interface Constant {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32';
  readonly values: ArrayLike<number>;
}

/** The constants of the GraphModel: the LayersModel's weights, and the settings. */
export function tinyConstants(source: LayersModel): Constant[] {
  const weights = source.weights.map((weight): Constant => {
    const value = weight.read();
    return { name: weight.originalName, shape: value.shape, dtype: 'float32', values: value.dataSync() };
  });
  return [
    { name: 'hub_input/Mul/y', shape: [], dtype: 'float32', values: [2] },
    { name: 'hub_input/Sub/y', shape: [], dtype: 'float32', values: [1] },
    { name: 'net/pool/axes', shape: [2], dtype: 'int32', values: [1, 2] },
    ...weights,
  ];
}

/** The given nodes and constants as a GraphModel that can be loaded. */
export function graphArtifacts(nodes: readonly object[], constants: readonly Constant[]): io.ModelArtifacts {
  const consts = constants.map(({ name, dtype, shape }) => {
    const type = dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT';
    const tensorShape = { dim: shape.map((size) => ({ size: String(size) })) };
    return node(name, 'Const', [], { dtype: { type }, value: { tensor: { dtype: type, tensorShape } } });
  });
  const parts = constants.map(({ dtype, values }) =>
    Buffer.from((dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)).buffer),
  );
  return {
    modelTopology: { node: [...nodes, ...consts], versions: { producer: 1 } },
    weightSpecs: constants.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
    weightData: Uint8Array.from(Buffer.concat(parts)).buffer,
  };
}

/** The GraphModel of the pair, as a handler. */
export function tinyGraph(): io.IOHandler {
  const source = tinyLayers();
  const artifacts = graphArtifacts(tinyNodes(), tinyConstants(source));
  source.dispose();
  return { load: () => Promise.resolve(artifacts) };
}
