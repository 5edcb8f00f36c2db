// BatchNorm with given statistics, and exact gradients for all parameters. tfjs's own layer updates its statistics
// during `fit` even if it is frozen, and its gradient fails without a gamma. This one changes nothing, and needs
// neither gamma nor beta.
import { add, mul, neg, reshape, rsqrt, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';

/** Parameters of a normalisation: one value for each channel. */
export interface BatchNormParameters {
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** 1 when missing. */
  readonly gamma?: Tensor | undefined;
  /** 0 when missing. */
  readonly beta?: Tensor | undefined;
  readonly epsilon: number;
}

/** A factor and a summand for each channel. */
export interface ChannelScale {
  readonly scale: Tensor;
  readonly shift: Tensor;
}

/**
 * `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, computed as `x * scale + shift`.
 *
 * @param axis - The axis of the channels.
 */
export function normalize(x: Tensor, parameters: BatchNormParameters, axis: number): Tensor {
  return tidy(() => {
    const { scale, shift } = channelScale(parameters);
    const broadcast = x.shape.map((size, each) => (each === axis ? size : 1));
    const along = (values: Tensor) => (axis === x.rank - 1 ? values : reshape(values, broadcast));
    return add(mul(x, along(scale)), along(shift));
  });
}

/** The normalisation of each channel as a factor and a summand: [c] and [c]. */
export function channelScale({ mean, variance, gamma, beta, epsilon }: BatchNormParameters): ChannelScale {
  const inverse = rsqrt(add(variance, epsilon));
  const scale = gamma === undefined ? inverse : mul(gamma, inverse);
  const centre = mul(mean, scale);
  return { scale, shift: beta === undefined ? neg(centre) : sub(beta, centre) };
}
