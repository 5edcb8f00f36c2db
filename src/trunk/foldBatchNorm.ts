// BatchNorm by its stored statistics as one factor and one summand for each channel, and both folded into the weights of
// the kernel in front: `(x · w + b) * s + t = x · (w * s) + (b * s + t)`. Jacob et al. 2018, https://arxiv.org/abs/1712.05877.
import { add, clone, mul, neg, reshape, rsqrt, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { numberOf } from './inferShapes.ts';
import type { LayerSpec } from './layerGraph.ts';
import { weightOf, type WeightOf } from './layerSite.ts';
import type { MakeConstant } from './nodeDraft.ts';

/** `x * scale + shift`, each with one value for each channel. The caller owns what they make. */
export interface ChannelScale {
  readonly channels: number;
  readonly scale: MakeConstant;
  readonly shift: MakeConstant;
}

/** A BatchNormalization with its weights. */
export interface BatchNormSite {
  readonly layer: LayerSpec;
  readonly weight: WeightOf;
}

/** What a BatchNormalization does in inference. */
export function channelScale(site: BatchNormSite): ChannelScale {
  const mean = weightOf(site, 'moving_mean');
  const variance = weightOf(site, 'moving_variance');
  const gamma = site.weight('gamma');
  const beta = site.weight('beta');
  const epsilon = numberOf(site.layer.config.epsilon) ?? 1e-3;
  const scale = () =>
    tidy(() => {
      const inverse = rsqrt(add(variance, epsilon)); // [c]
      return gamma === undefined ? inverse : mul(gamma, inverse);
    });
  const shift = () =>
    tidy(() => {
      const centre = neg(mul(mean, scale())); // [c]
      return beta === undefined ? centre : add(beta, centre);
    });
  return { channels: mean.size, scale, shift };
}

/** A kernel in a shape of its own, its outputs scaled. */
export function scaledKernel(kernel: Tensor, shape: readonly number[], by: ChannelScale | undefined): MakeConstant {
  return () =>
    tidy(() => {
      const shaped = reshape(kernel, [...shape]);
      if (by === undefined) return shaped;
      // The last axis counts the outputs, or the last two do in a depthwise kernel.
      const outputs = shape.at(-1) === by.channels ? [by.channels] : shape.slice(-2);
      return mul(shaped, reshape(by.scale(), outputs));
    });
}

/** A bias for scaled outputs; zeros where there is neither. */
export function scaledBias(bias: Tensor | undefined, channels: number, by: ChannelScale | undefined): MakeConstant {
  return () =>
    tidy(() => {
      if (by === undefined) return bias === undefined ? zeros([channels]) : clone(bias);
      return bias === undefined ? by.shift() : add(mul(bias, by.scale()), by.shift());
    });
}
