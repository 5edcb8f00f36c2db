// Shared parts of the convolutions of this package: strides, padding, data format, bias and activation.
import {
  add,
  pad,
  reshape,
  slice,
  tidy,
  transpose,
  type serialization,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { internalError } from '../../core/errors.ts';
import { activationNamed, snakeCase } from './kerasActivations.ts';
import { isChannelsFirst } from './globalPooling.ts';
import { pairOf, single, singleShape, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/** The input is [b, h, w, channels], or [b, channels, h, w] with the data format `channelsFirst`. */
export abstract class Convolution2D extends layers.Layer {
  protected readonly kernelSize: [number, number];
  protected readonly strides: [number, number];
  protected readonly dilation: [number, number];
  protected readonly padding: 'same' | 'valid';
  private readonly channelsFirst: boolean;
  private readonly activation: string;
  private readonly activate: (x: Tensor) => Tensor;
  private readonly biasRules: WeightRules | undefined;
  private kernel: LayerVariable | undefined;
  private bias: LayerVariable | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.kernelSize = pairOf(config.kernelSize, 1);
    this.strides = pairOf(config.strides, 1);
    this.dilation = pairOf(config.dilationRate, 1);
    this.padding = config.padding === 'same' ? 'same' : 'valid';
    this.channelsFirst = isChannelsFirst(config.dataFormat);
    this.activation = snakeCase(typeof config.activation === 'string' ? config.activation : 'linear');
    this.activate = activationNamed(this.activation);
    this.biasRules = config.useBias === false ? undefined : rulesOf(config, 'bias', 'Zeros');
  }

  /** Adds the kernel for the given number of input channels. */
  protected abstract addKernel(channels: number): LayerVariable;

  /** Number of output channels. */
  protected abstract outputChannels(channels: number | null): number | null;

  /** [b, h, w, channels] → [b, h', w', output channels], without bias and activation. */
  protected abstract convolve(x: Tensor4D, kernel: Tensor4D): Tensor;

  override build(inputShape: Shape | Shape[]): void {
    const shape = singleShape(inputShape);
    const channels = shape[this.channelsFirst ? 1 : shape.length - 1] ?? 0;
    this.kernel = this.addKernel(channels);
    if (this.biasRules !== undefined) {
      this.bias = this.addRuledWeight('bias', [this.outputChannels(channels)], this.biasRules);
    }
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const kernel = this.kernel?.read();
    if (kernel === undefined) throw internalError(`${this.name} is not built`);
    return tidy(() => {
      const x: Tensor4D = reshape(single(inputs), rank4(single(inputs).shape));
      const last = this.channelsFirst ? transpose(x, [0, 2, 3, 1]) : x;
      const filtered = this.convolve(last, reshape(kernel, rank4(kernel.shape)));
      const bias = this.bias?.read();
      const y = this.activate(bias === undefined ? filtered : add(filtered, bias));
      return this.channelsFirst ? transpose(y, [0, 3, 1, 2]) : y;
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, ...rest] = singleShape(inputShape);
    const [spatial, [channels = null]] = this.channelsFirst
      ? [rest.slice(1), rest.slice(0, 1)]
      : [rest.slice(0, 2), rest.slice(2)];
    const sizes = spatial.map((size, axis) => (size === null ? null : this.outputSize(size, axis)));
    const outputs = this.outputChannels(channels);
    return this.channelsFirst ? [batch, outputs, ...sizes] : [batch, ...sizes, outputs];
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      kernelSize: this.kernelSize,
      strides: this.strides,
      dilationRate: this.dilation,
      padding: this.padding,
      dataFormat: this.channelsFirst ? 'channelsFirst' : 'channelsLast',
      activation: this.activation,
      useBias: this.biasRules !== undefined,
      ...describedRules('bias', this.biasRules),
    };
  }

  /** Adds a weight with the initialiser, regulariser and constraint of its rules. */
  protected addRuledWeight(name: string, shape: Shape, rules: WeightRules): LayerVariable {
    const { initializer, regularizer, constraint } = rules;
    return this.addWeight(name, shape, 'float32', initializer, regularizer, true, constraint);
  }

  private outputSize(size: number, axis: number): number {
    const [stride, kernel, dilation] = [this.strides, this.kernelSize, this.dilation].map((pair) => pair[axis] ?? 1);
    const covered = this.padding === 'same' ? 0 : ((kernel ?? 1) - 1) * (dilation ?? 1);
    return Math.ceil((size - covered) / (stride ?? 1));
  }
}

/**
 * A kernel with zeros between its rows and columns. tfjs has no gradient for a dilated convolution, and does not
 * support dilation with strides above 1.
 * [h, w, c, f] → [(h - 1) * rows + 1, (w - 1) * columns + 1, c, f]
 */
export function dilate(kernel: Tensor4D, [rows, columns]: readonly [number, number]): Tensor4D {
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
