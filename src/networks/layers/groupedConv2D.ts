// Keras's Conv2D with groups: the channels are divided into groups, and each group has its own filters.
import {
  concat,
  conv2d,
  depthwiseConv2d,
  reshape,
  split,
  type Tensor,
  type Tensor4D,
  type serialization,
} from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { Convolution2D, dilate } from './convolution2D.ts';
import { numberOf, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/**
 * A convolution whose kernel is [height, width, channels / groups, filters]. Filters are divided into groups in the
 * same order as channels. Xie et al. 2016, https://arxiv.org/abs/1611.05431.
 */
export class GroupedConv2D extends Convolution2D {
  static readonly className = 'GroupedConv2D';
  private readonly filters: number;
  private readonly groups: number;
  private readonly kernelRules: WeightRules;

  constructor(config: LayerConfig) {
    super(config);
    this.filters = numberOf(config.filters, 1);
    this.groups = numberOf(config.groups, 1);
    this.kernelRules = rulesOf(config, 'kernel', 'GlorotUniform');
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      filters: this.filters,
      groups: this.groups,
      ...describedRules('kernel', this.kernelRules),
    };
  }

  protected addKernel(channels: number): LayerVariable {
    if (channels % this.groups !== 0 || this.filters % this.groups !== 0) {
      const found = `${String(channels)} channels and ${String(this.filters)} filters in ${String(this.groups)} groups`;
      throw new RangeError(`${this.name}: expected groups to divide channels and filters, got ${found}`);
    }
    const shape = [...this.kernelSize, channels / this.groups, this.filters];
    return this.addRuledWeight('kernel', shape, this.kernelRules);
  }

  protected outputChannels(): number {
    return this.filters;
  }

  protected convolve(x: Tensor4D, kernel: Tensor4D): Tensor {
    const { groups, strides, padding } = this;
    const spread = dilate(kernel, this.dilation);
    const [height, width] = spread.shape;
    if (groups === x.shape[3]) {
      // One channel per group: [h, w, 1, groups * n] has the same values as a depthwise kernel [h, w, groups, n].
      const filter: Tensor4D = reshape(spread, [height, width, groups, this.filters / groups]);
      return depthwiseConv2d(x, filter, strides, padding);
    }
    if (groups === 1) return conv2d(x, spread, strides, padding);
    const channels: Tensor4D[] = split(x, groups, 3);
    const filters: Tensor4D[] = split(spread, groups, 3);
    const parts = channels.flatMap((part, group) => {
      const filter = filters[group];
      return filter === undefined ? [] : [conv2d(part, filter, strides, padding)];
    });
    return concat(parts, 3);
  }
}
