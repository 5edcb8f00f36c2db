// Probabilities and decisions from logits, in plain numbers.

/** Index of the largest value. Of equal values it is the first. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

/** Softmax: probabilities that sum to 1. */
export function softmaxOf(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return Array.from(logits, (logit) => Math.exp(logit - total));
}

/** Sigmoid: the probability of one logit. */
export function sigmoidOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Whether a logit's label is chosen: its probability is above the threshold, 0 … 1. */
export function isChosen(logit: number, threshold = 0.5): boolean {
  return logit > Math.log(threshold / (1 - threshold));
}

/** Share of logits that are decided right, each with its own threshold. */
export function agreement(logits: Float32Array, targets: Float32Array, thresholds: readonly number[] = []): number {
  const isRight = (logit: number, i: number) => isChosen(logit, thresholds[i]) === (targets[i] ?? 0) > 0.5;
  return logits.reduce((count, logit, i) => count + Number(isRight(logit, i)), 0) / logits.length;
}
