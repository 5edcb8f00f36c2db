// Probabilities and decisions of logits, in plain numbers.

/** Index of the largest value; the first of equals. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

/** Probabilities of one of several, that sum to 1. */
export function softmaxOf(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return Array.from(logits, (logit) => Math.exp(logit - total));
}

/** Probability of one logit. */
export function sigmoidOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Whether the label of a logit is chosen: whether its probability is above a threshold, 0 … 1. */
export function isChosen(logit: number, threshold = 0.5): boolean {
  return logit > Math.log(threshold / (1 - threshold));
}

/** Share of logits decided right, each by its threshold. */
export function agreement(logits: Float32Array, targets: Float32Array, thresholds: readonly number[] = []): number {
  const isRight = (logit: number, i: number) => isChosen(logit, thresholds[i]) === (targets[i] ?? 0) > 0.5;
  return logits.reduce((count, logit, i) => count + Number(isRight(logit, i)), 0) / logits.length;
}
