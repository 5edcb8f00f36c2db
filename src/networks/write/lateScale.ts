// Folds BatchNorm with stored statistics into the weights of the kernel before it: `(x · w + b) * s + t = x · (w * s) +
// (b * s + t)`. Jacob et al. 2018, https://arxiv.org/abs/1712.05877.
import { add, clone, mul, reshape, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import { channelScale, type ChannelScale } from '../run/batchNorm.ts';
import { numberOf } from '../graphs/inferShapes.ts';
import { weightOf, type WeightOf } from './layerSite.ts';
import type { MakeConstant } from '../graphs/nodeDraft.ts';

/** `x * scale + shift` for each channel, computed on request. */
export interface LateScale {
  readonly channels: number;
  /** Must be called in a tidy. */
  readonly compute: () => ChannelScale;
}

/** The scale of a BatchNormalization in inference. */
export function lateScale(site: { readonly layer: LayerSpec; readonly weight: WeightOf }): LateScale {
  const mean = weightOf(site, 'moving_mean');
  const variance = weightOf(site, 'moving_variance');
  const [gamma, beta] = [site.weight('gamma'), site.weight('beta')];
  const epsilon = numberOf(site.layer.config.epsilon) ?? 1e-3;
  return { channels: mean.size, compute: () => channelScale({ mean, variance, gamma, beta, epsilon }) };
}

/** A kernel in another shape, with scaled outputs. */
export function scaledKernel(kernel: Tensor, shape: readonly number[], by: LateScale | undefined): MakeConstant {
  return () =>
    tidy(() => {
      const shaped = reshape(kernel, [...shape]);
      if (by === undefined) return shaped;
      // The outputs are the last axis, or the last two of a depthwise kernel.
      const outputs = shape.at(-1) === by.channels ? [by.channels] : shape.slice(-2);
      return mul(shaped, reshape(by.compute().scale, outputs));
    });
}

/** A bias for scaled outputs; zeros if there is neither a bias nor a shift. */
export function scaledBias(bias: Tensor | undefined, channels: number, by: LateScale | undefined): MakeConstant {
  return () =>
    tidy(() => {
      if (by === undefined) return bias === undefined ? zeros([channels]) : clone(bias);
      const { scale, shift } = by.compute();
      return bias === undefined ? shift : add(mul(bias, scale), shift);
    });
}
