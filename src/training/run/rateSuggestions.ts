// Suggests learning rates from the losses at rising rates.

/** Rising learning rates, and the loss of the step with each. */
export interface Sweep {
  readonly learningRates: readonly number[];
  readonly losses: readonly number[];
}

/** Exponential moving average with the bias of its start removed, as fastai has it (whose decay is 0.98). */
export function smooth(values: readonly number[], decay: number): number[] {
  let average = 0;
  return values.map((value, i) => {
    average = decay * average + (1 - decay) * value;
    return average / (1 - decay ** (i + 1));
  });
}

/**
 * The middle of the longest fall of the losses: the longest decreasing subsequence, without its first third (not yet
 * certain) and its last third (already at risk). fastai's default, `valley` (callback/schedule.py).
 */
export function valley({ learningRates, losses }: Sweep): number {
  const lengths = losses.map(() => 1);
  let end = 0;
  losses.forEach((loss, i) => {
    for (let j = 0; j < i; j++) {
      if (loss < (losses[j] ?? -Infinity)) lengths[i] = Math.max(lengths[i] ?? 1, (lengths[j] ?? 1) + 1);
    }
    if ((lengths[i] ?? 1) > (lengths[end] ?? 1)) end = i;
  });
  const start = Math.max(0, end - (lengths[end] ?? 1));
  const third = (end - start) / 3;
  return learningRates[start + Math.floor(third) + Math.floor(third / 2)] ?? NaN;
}

/** The rate at which the loss falls fastest to the next rate. */
export function steepest({ learningRates, losses }: Sweep): number {
  const slopes = losses.slice(1).map((loss, i) => loss - (losses[i] ?? 0));
  return learningRates[indexOfLeast(slopes)] ?? NaN;
}

/** A tenth of the rate with the smallest loss (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017). */
export function minimumTenth({ learningRates, losses }: Sweep): number {
  return (learningRates[indexOfLeast(losses)] ?? NaN) / 10;
}

function indexOfLeast(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value < (values[best] ?? Infinity) ? i : best), 0);
}
