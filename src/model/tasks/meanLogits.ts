// Converts the mean probability of several runs back to logits, so that loss, thresholds and decisions need no other rules.

/** Logits of one example from several runs: [runs][units]. */
export type SeveralLogits = readonly Float32Array[];

/** Log of the mean of the softmax probabilities of each label. */
export function ofMeanSoftmax(runs: SeveralLogits): number[] {
  const logs = runs.map((logits) => {
    const total = logSumExp(Array.from(logits));
    return Array.from(logits, (logit) => logit - total);
  });
  return unitsOf(runs, (unit) => logMeanExp(logs.map((log) => log[unit] ?? NaN)));
}

/** Log of the odds of the mean of the sigmoid probabilities of each unit. */
export function ofMeanSigmoid(runs: SeveralLogits): number[] {
  return unitsOf(runs, (unit) => {
    const own = runs.map((logits) => logits[unit] ?? NaN);
    return logMeanExp(own.map(logSigmoid)) - logMeanExp(own.map((logit) => logSigmoid(-logit)));
  });
}

/** Mean of each value. */
export function ofMeanValue(runs: SeveralLogits): number[] {
  return unitsOf(runs, (unit) => runs.reduce((sum, values) => sum + (values[unit] ?? NaN), 0) / runs.length);
}

function unitsOf([first]: SeveralLogits, of: (unit: number) => number): number[] {
  return Array.from(first ?? [], (_, unit) => of(unit));
}

function logMeanExp(values: readonly number[]): number {
  return logSumExp(values) - Math.log(values.length);
}

/** Log of the sum of exponentials, without overflow. */
function logSumExp(values: readonly number[]): number {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** Log of the sigmoid, which does not underflow. */
function logSigmoid(logit: number): number {
  return Math.min(logit, 0) - Math.log1p(Math.exp(-Math.abs(logit)));
}
