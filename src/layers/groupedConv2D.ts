// Keras's Conv2D with groups: the channels fall into groups, and each group has its own filters.
import {
  add,
  concat,
  conv2d,
  depthwiseConv2d,
  pad,
  reshape,
  slice,
  split,
  tidy,
  transpose,
  type Tensor,
  type Tensor4D,
  type serialization,
} from '@tensorflow/tfjs-core';
import { layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { activationNamed, snakeCase } from './activations.ts';
import { isChannelsFirst } from './globalPooling.ts';
import { numberOf, pairOf, single, singleShape, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/**
 * A convolution whose kernel is [height, width, channels / groups, filters]: filters fall into as many groups as
 * channels, in order. Xie et al. 2016, https://arxiv.org/abs/1611.05431.
 */
export class GroupedConv2D extends layers.Layer {
  static readonly className = 'GroupedConv2D';
  private readonly filters: number;
  private readonly groups: number;
  private readonly kernelSize: [number, number];
  private readonly strides: [number, number];
  private readonly dilation: [number, number];
  private readonly padding: 'same' | 'valid';
  private readonly channelsFirst: boolean;
  private readonly activation: string;
  private readonly activate: (x: Tensor) => Tensor;
  private readonly kernelRules: WeightRules;
  private readonly biasRules: WeightRules | undefined;
  private kernel: LayerVariable | undefined;
  private bias: LayerVariable | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.filters = numberOf(config.filters, 1);
    this.groups = numberOf(config.groups, 1);
    this.kernelSize = pairOf(config.kernelSize, 1);
    this.strides = pairOf(config.strides, 1);
    this.dilation = pairOf(config.dilationRate, 1);
    this.padding = config.padding === 'same' ? 'same' : 'valid';
    this.channelsFirst = isChannelsFirst(config.dataFormat);
    this.activation = snakeCase(typeof config.activation === 'string' ? config.activation : 'linear');
    this.activate = activationNamed(this.activation);
    this.kernelRules = rulesOf(config, 'kernel', 'GlorotUniform');
    this.biasRules = config.useBias === false ? undefined : rulesOf(config, 'bias', 'Zeros');
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = singleShape(inputShape);
    const channels = shape[this.channelsFirst ? 1 : shape.length - 1] ?? 0;
    if (channels % this.groups !== 0 || this.filters % this.groups !== 0) {
      const found = `${String(channels)} channels and ${String(this.filters)} filters in ${String(this.groups)} groups`;
      throw new RangeError(`${this.name}: expected groups to divide channels and filters, got ${found}`);
    }
    this.kernel = this.weight('kernel', [...this.kernelSize, channels / this.groups, this.filters], this.kernelRules);
    if (this.biasRules !== undefined) this.bias = this.weight('bias', [this.filters], this.biasRules);
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const kernel = this.kernel?.read();
    if (kernel === undefined) throw new RangeError(`${this.name} is not built`);
    return tidy(() => {
      const x: Tensor4D = reshape(single(inputs), rank4(single(inputs).shape));
      const last = this.channelsFirst ? transpose(x, [0, 2, 3, 1]) : x;
      const filtered = this.convolve(last, dilate(reshape(kernel, rank4(kernel.shape)), this.dilation));
      const bias = this.bias?.read();
      const y = this.activate(bias === undefined ? filtered : add(filtered, bias));
      return this.channelsFirst ? transpose(y, [0, 3, 1, 2]) : y;
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, ...rest] = singleShape(inputShape);
    const spatial = this.channelsFirst ? rest.slice(1) : rest.slice(0, 2);
    const sizes = spatial.map((size, axis) => (size === null ? null : this.outputSize(size, axis)));
    return this.channelsFirst ? [batch, this.filters, ...sizes] : [batch, ...sizes, this.filters];
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      filters: this.filters,
      groups: this.groups,
      kernelSize: this.kernelSize,
      strides: this.strides,
      dilationRate: this.dilation,
      padding: this.padding,
      dataFormat: this.channelsFirst ? 'channelsFirst' : 'channelsLast',
      activation: this.activation,
      useBias: this.biasRules !== undefined,
      ...describedRules('kernel', this.kernelRules),
      ...describedRules('bias', this.biasRules),
    };
  }

  private weight(name: string, shape: Shape, { initializer, regularizer, constraint }: WeightRules): LayerVariable {
    return this.addWeight(name, shape, 'float32', initializer, regularizer, true, constraint);
  }

  /** [b, h, w, channels] → [b, h', w', filters] */
  private convolve(x: Tensor4D, kernel: Tensor4D): Tensor {
    const { groups, strides, padding } = this;
    const [height, width] = kernel.shape;
    if (groups === x.shape[3]) {
      // One channel a group: [h, w, 1, groups * n] holds the same numbers as a depthwise kernel [h, w, groups, n].
      const filter: Tensor4D = reshape(kernel, [height, width, groups, this.filters / groups]);
      return depthwiseConv2d(x, filter, strides, padding);
    }
    if (groups === 1) return conv2d(x, kernel, strides, padding);
    const channels: Tensor4D[] = split(x, groups, 3);
    const filters: Tensor4D[] = split(kernel, groups, 3);
    const parts = channels.flatMap((part, group) => {
      const filter = filters[group];
      return filter === undefined ? [] : [conv2d(part, filter, strides, padding)];
    });
    return concat(parts, 3);
  }

  private outputSize(size: number, axis: number): number {
    const [stride, kernel, dilation] = [this.strides, this.kernelSize, this.dilation].map((pair) => pair[axis] ?? 1);
    const covered = this.padding === 'same' ? 0 : ((kernel ?? 1) - 1) * (dilation ?? 1);
    return Math.ceil((size - covered) / (stride ?? 1));
  }
}

/**
 * A kernel with zeros between its rows and columns: tfjs has no gradient for a convolution that skips pixels itself.
 * [h, w, c, f] → [(h - 1) * rows + 1, (w - 1) * columns + 1, c, f]
 */
function dilate(kernel: Tensor4D, [rows, columns]: readonly [number, number]): Tensor4D {
  if (rows === 1 && columns === 1) return kernel;
  const [height, width, channels, filters] = kernel.shape;
  const tall = pad(reshape(kernel, [height, 1, width * channels * filters]), zerosBehind(3, 1, rows - 1));
  const both = pad(reshape(tall, [height * rows, width, 1, channels * filters]), zerosBehind(4, 2, columns - 1));
  const spread: Tensor4D = reshape(both, [height * rows, width * columns, channels, filters]);
  return slice(spread, [0, 0, 0, 0], [(height - 1) * rows + 1, (width - 1) * columns + 1, channels, filters]);
}

function zerosBehind(rank: number, axis: number, count: number): [number, number][] {
  return Array.from({ length: rank }, (_, each) => [0, each === axis ? count : 0]);
}

function rank4(shape: readonly number[]): [number, number, number, number] {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  return [a, b, c, d];
}
