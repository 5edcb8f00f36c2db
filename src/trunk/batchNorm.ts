// BatchNorm in inference mode, with exact gradients. tfjs's own layer learns during `fit` even when it is frozen, and its
// gradient fails without a gamma; this one uses the stored statistics, never moves them, and needs neither gamma nor beta.
import { add, mul, neg, reshape, rsqrt, tidy, type Tensor } from '@tensorflow/tfjs-core';

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

/**
 * `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, computed as `x * scale + shift`.
 *
 * @param axis - The axis of the channels.
 */
export function normalize(x: Tensor, parameters: BatchNormParameters, axis: number): Tensor {
  const { mean, variance, gamma, beta, epsilon } = parameters;
  return tidy(() => {
    const inverse = rsqrt(add(variance, epsilon)); // [c]
    const scale = gamma === undefined ? inverse : mul(gamma, inverse); // [c]
    const centre = neg(mul(mean, scale)); // [c]
    const shift = beta === undefined ? centre : add(beta, centre); // [c]
    const broadcast = x.shape.map((size, each) => (each === axis ? size : 1));
    const along = (values: Tensor) => (axis === x.rank - 1 ? values : reshape(values, broadcast));
    return add(mul(x, along(scale)), along(shift));
  });
}
