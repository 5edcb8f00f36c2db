// BatchNorm in training mode together with the activation after it. Recorded operation by operation, tfjs would keep
// every intermediate value for the gradients; this keeps only input and output.
import { add, cast, customGrad, div, mul, ones, rsqrt, sub, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { activationGradient, sumOverPositions, type FusedActivation } from './activationGradient.ts';
import { channelScale, type BatchNormParameters } from './batchNorm.ts';
import { momentsOf, type Moments } from './batchStatistics.ts';
import { runFusedScale } from './fusedLayers.ts';
import { freeLater } from './spentTensors.ts';

/**
 * `activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)` with mean and variance of the batch. It has
 * gradients, but no second gradients. The caller's tidy frees the intermediate tensors.
 *
 * @param x - Channels are last.
 * @param onMoments - Receives mean and variance, which are freed when it returns.
 */
export function fusedBatchNorm(
  x: Tensor,
  { gamma, beta, epsilon, mean: { shape } }: BatchNormParameters,
  activation: FusedActivation,
  onMoments: (moments: Moments) => void,
): Tensor {
  const [floats, factor, summand] = [cast(x, 'float32'), gamma ?? ones(shape), beta ?? zeros(shape)];
  const compute = customGrad((...inputs) => {
    const save = inputs.at(-1);
    if (typeof save !== 'function') throw internalError('tfjs gave no way to save tensors');
    const moments = momentsOf(floats, x.rank - 1);
    onMoments(moments);
    const scale = channelScale({ ...moments, gamma: factor, beta: summand, epsilon });
    const y = runFusedScale(floats, scale, activation);
    const inverse = rsqrt(add(moments.variance, epsilon));
    save([floats, factor, moments.mean, inverse, ...(activation === 'linear' ? [] : [y])]);
    return { value: y, gradFunc: (dy, saved) => gradients(dy, saved, activation) };
  });
  return compute(floats, factor, summand);
}

/** Gradients for x, gamma and beta. Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167, section 3. */
function gradients(dy: Tensor, saved: readonly Tensor[], activation: FusedActivation): Tensor[] {
  const [x, gamma, mean, inverse, y] = saved;
  if (x === undefined || gamma === undefined || mean === undefined || inverse === undefined) {
    throw internalError('BatchNorm saved too little');
  }
  freeLater(saved);
  return tidy(() => {
    const { masked, sums } = activationGradient(dy, y, activation);
    const centred = sub(x, mean);
    const ofBeta = sums();
    const ofGamma = mul(sumOverPositions(mul(masked, centred)), inverse);
    const scale = mul(gamma, inverse);
    // The effect of each value through mean and variance, divided by the number of values.
    const share = div(scale, -x.size / gamma.size);
    const through = { scale: mul(mul(ofGamma, inverse), share), shift: mul(ofBeta, share) };
    const ofX = add(mul(masked, scale), runFusedScale(centred, through, 'linear'));
    return [ofX, ofGamma, ofBeta];
  });
}
