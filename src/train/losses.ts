// Losses on logits, and how logits become decisions and probabilities. One row of facts for each task.
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
  square,
  sub,
  sum,
  tidy,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { Task } from '../core/model.ts';

/** What a task makes of logits. */
export interface TaskRules {
  /** Loss of each row, [b]; logits and targets are [b, units]. */
  losses(logits: Tensor, targets: Tensor): Tensor;
  /** The same for one row, in plain numbers. */
  rowLoss(logits: Float32Array, targets: Float32Array): number;
  /** Probabilities of the labels, or the numbers themselves, from one row of logits. */
  outputs(logits: Float32Array): number[];
  /** Share of right decisions in one row, or undefined where there is none to be right about. */
  correct(logits: Float32Array, targets: Float32Array): number | undefined;
}

/** Rules of each task. */
export const taskRules: Readonly<Record<Task, TaskRules>> = {
  classes: {
    losses: softmaxCrossEntropy,
    rowLoss: (logits, targets) => {
      const total = logOfSum(logits);
      return -targets.reduce((sum, target, i) => sum + target * ((logits[i] ?? 0) - total), 0);
    },
    outputs: softmax,
    correct: (logits, targets) => (argMax(logits) === argMax(targets) ? 1 : 0),
  },
  binary: {
    losses: sigmoidCrossEntropy,
    rowLoss: sigmoidRowLoss,
    outputs: ([logit = 0]) => [1 - sigmoid(logit), sigmoid(logit)],
    correct: agreement,
  },
  multiLabel: {
    losses: sigmoidCrossEntropy,
    rowLoss: sigmoidRowLoss,
    outputs: (logits) => Array.from(logits, sigmoid),
    correct: agreement,
  },
  regression: {
    losses: meanSquaredError,
    rowLoss: (values, targets) =>
      values.reduce((sum, value, i) => sum + (value - (targets[i] ?? 0)) ** 2, 0) / values.length,
    outputs: (values) => Array.from(values),
    correct: () => undefined,
  },
};

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
 * row, in the form that does not overflow.
 *
 * @param logits - x, [b, labels]
 * @param targets - z, [b, labels], 0 … 1
 * @returns [b]
 */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => mean(add(sub(relu(logits), mul(logits, targets)), log1p(exp(neg(abs(logits))))), -1));
}

/** Mean of squared differences over the outputs, [b]; both are [b, outputs]. */
export function meanSquaredError(predictions: Tensor, targets: Tensor): Tensor {
  return tidy(() => mean(square(sub(predictions, targets)), -1));
}

/** Mean over the batch of losses times weights, both [b]: Keras's `sum_over_batch_size` with sample weights. */
export function weightedMean(losses: Tensor, weights: Tensor): Scalar {
  return tidy(() => mean<Scalar>(mul(losses, weights)));
}

/** Index of the largest value; the first of equals. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

function softmax(logits: Float32Array): number[] {
  const total = logOfSum(logits);
  return Array.from(logits, (logit) => Math.exp(logit - total));
}

/** `log Σ exp(x)` without overflow. */
function logOfSum(logits: Float32Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

function sigmoidRowLoss(logits: Float32Array, targets: Float32Array): number {
  const each = (x: number, z: number) => Math.max(x, 0) - x * z + Math.log1p(Math.exp(-Math.abs(x)));
  return logits.reduce((sum, logit, i) => sum + each(logit, targets[i] ?? 0), 0) / logits.length;
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Share of labels decided right at a probability of one half. */
function agreement(logits: Float32Array, targets: Float32Array): number {
  const right = logits.reduce((count, logit, i) => count + (logit > 0 === (targets[i] ?? 0) > 0.5 ? 1 : 0), 0);
  return right / logits.length;
}
