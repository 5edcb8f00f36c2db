// Convex losses of a linear head for single rows of plain numbers: the value, and the gradient with respect to the
// logits.

/**
 * Loss of one row. Overwrites the logits with the gradient with respect to them.
 *
 * @param logits - [units]
 * @param targets - [units]
 */
export type RowLoss = (logits: Float32Array, targets: Float32Array) => number;

/** Cross-entropy of a softmax. The targets are shares that sum to 1. */
export function softmaxLoss(logits: Float32Array, targets: Float32Array): number {
  let most = -Infinity;
  for (const logit of logits) most = Math.max(most, logit);
  let sum = 0;
  let right = 0;
  for (let unit = 0; unit < logits.length; unit++) {
    const logit = (logits[unit] ?? 0) - most;
    right += (targets[unit] ?? 0) * logit;
    const part = Math.exp(logit);
    logits[unit] = part;
    sum += part;
  }
  for (let unit = 0; unit < logits.length; unit++) logits[unit] = (logits[unit] ?? 0) / sum - (targets[unit] ?? 0);
  return Math.log(sum) - right;
}

/** Sum over the units of the cross-entropy of a sigmoid. */
export function sigmoidLoss(logits: Float32Array, targets: Float32Array): number {
  let loss = 0;
  for (let unit = 0; unit < logits.length; unit++) {
    const logit = logits[unit] ?? 0;
    const target = targets[unit] ?? 0;
    const small = Math.exp(-Math.abs(logit));
    loss += Math.max(logit, 0) - target * logit + Math.log1p(small);
    logits[unit] = (logit >= 0 ? 1 / (1 + small) : small / (1 + small)) - target;
  }
  return loss;
}

/** Half the sum of squared differences. */
export function squaredLoss(values: Float32Array, targets: Float32Array): number {
  let loss = 0;
  for (let unit = 0; unit < values.length; unit++) {
    const error = (values[unit] ?? 0) - (targets[unit] ?? 0);
    loss += (error * error) / 2;
    values[unit] = error;
  }
  return loss;
}
