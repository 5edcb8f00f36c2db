// Keras's DepthwiseConv2D with dilation. tfjs's own layer ignores the dilation.
import { depthwiseConv2d, type serialization, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { Convolution2D, dilate } from './convolution2D.ts';
import { numberOf, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/**
 * A convolution of each channel with `depthMultiplier` filters. The kernel is [height, width, channels, multiplier].
 */
export class DilatedDepthwiseConv2D extends Convolution2D {
  static readonly className = 'DilatedDepthwiseConv2D';
  private readonly multiplier: number;
  private readonly kernelRules: WeightRules;

  constructor(config: LayerConfig) {
    super(config);
    this.multiplier = numberOf(config.depthMultiplier, 1);
    this.kernelRules = rulesOf(config, 'depthwise', 'GlorotUniform');
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      depthMultiplier: this.multiplier,
      ...describedRules('depthwise', this.kernelRules),
    };
  }

  protected addKernel(channels: number): LayerVariable {
    return this.addRuledWeight('depthwise_kernel', [...this.kernelSize, channels, this.multiplier], this.kernelRules);
  }

  protected outputChannels(channels: number | null): number | null {
    return channels === null ? null : channels * this.multiplier;
  }

  protected convolve(x: Tensor4D, kernel: Tensor4D): Tensor {
    const { strides, padding, dilation } = this;
    const isStrided = strides.some((stride) => stride !== 1);
    if (isStrided) return depthwiseConv2d(x, dilate(kernel, dilation), strides, padding);
    return depthwiseConv2d(x, kernel, strides, padding, 'NHWC', dilation);
  }
}
