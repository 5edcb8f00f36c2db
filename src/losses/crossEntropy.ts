// Cross-entropies on logits, computed without overflow.
import {
  abs,
  add,
  exp,
  log1p,
  logSoftmax,
  mean,
  mul,
  neg,
  relu,
  sub,
  sum,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core';

/**
 * `-Σ target · log softmax(logits)`: Keras's CategoricalCrossentropy(from_logits=True) of each row.
 *
 * @param logits - [b, classes]
 * @param targets - [b, classes], rows that sum to 1.
 * @returns [b]
 */
export function softmaxCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => neg(sum(mul(targets, logSoftmax(logits)), -1)));
}

/**
 * `max(x, 0) - x·z + log(1 + exp(-|x|))`, mean over the labels: Keras's BinaryCrossentropy(from_logits=True) of each
 * row.
 *
 * @param logits - x, [b, labels]
 * @param targets - z, [b, labels], 0 … 1
 * @returns [b]
 */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => mean(sub(softplus(logits), mul(logits, targets)), -1));
}

/** `log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))`, which is `-log(1 - sigmoid(x))`. */
export function softplus(x: Tensor): Tensor {
  return tidy(() => add(relu(x), log1p(exp(neg(abs(x))))));
}
