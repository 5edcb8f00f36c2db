// LayerNormalization with exact gradients for any subset of its weights: tfjs's own fails without a gamma or a beta.
import { add, mean, mul, reshape, rsqrt, square, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';

/** How to normalise. Ba et al. 2016, https://arxiv.org/abs/1607.06450. */
export interface LayerNormParameters {
  /** 1 when missing. */
  readonly gamma: Tensor | undefined;
  /** 0 when missing. */
  readonly beta: Tensor | undefined;
  readonly epsilon: number;
  /** Axes that are normalised together, counted from 0. Gamma and beta have their lengths. */
  readonly axes: readonly number[];
}

/** `gamma * (x - mean) / sqrt(variance + epsilon) + beta` with mean and variance of each example. */
export function layerNorm(x: Tensor, { gamma, beta, epsilon, axes }: LayerNormParameters): Tensor {
  return tidy(() => {
    const along = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
    const centred = sub(x, mean(x, [...axes], true));
    const variance = mean(square(centred), [...axes], true);
    const normal = mul(centred, rsqrt(add(variance, epsilon)));
    const scaled = gamma === undefined ? normal : mul(normal, reshape(gamma, along));
    return beta === undefined ? scaled : add(scaled, reshape(beta, along));
  });
}
