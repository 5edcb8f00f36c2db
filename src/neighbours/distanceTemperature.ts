// Converts distances to probabilities: a softmax whose steepness makes the labels of known examples most probable.
import { monotoneRoot } from '../measure/monotoneRoot.ts';

/** Distances from an example to every label, and the index of its own label. */
export interface Judged {
  readonly separations: readonly number[];
  readonly own: number;
}

/** Shares of the labels: `softmax(-steepness · separation)`. */
export function sharesOf(separations: readonly number[], steepness: number): number[] {
  const least = Math.min(...separations);
  const parts = separations.map((each) => Math.exp(steepness * (least - each)));
  const total = parts.reduce((sum, each) => sum + each, 0);
  return parts.map((each) => each / total);
}

/**
 * Finds the steepness, from 0, that makes the labels of examples most probable: temperature scaling (Guo et al., On
 * Calibration of Modern Neural Networks, 2017). The target probability of own labels is (n + 1) / (n + 2) for n
 * examples (Platt, Probabilistic Outputs for Support Vector Machines, 1999). Without it the steepness would be infinite
 * for examples that are separated perfectly.
 */
export function steepnessFor(judged: readonly Judged[]): number {
  const doubt = 1 / (judged.length + 2);
  const targets = judged.map(({ separations, own }) => {
    const other = separations.reduce((sum, each, i) => (i === own ? sum : sum + each), 0) / (separations.length - 1);
    return (1 - doubt) * (separations[own] ?? 0) + doubt * other;
  });
  /**
   * The derivative of the mean negative log-likelihood with respect to the steepness, in units of separations. It
   * increases monotonically.
   */
  const unit = 1 / mean(targets);
  const slope = (steepness: number) =>
    mean(judged.map(({ separations }, i) => (targets[i] ?? 0) - expected(separations, steepness * unit)));
  return slope(0) < 0 ? monotoneRoot(slope) * unit : 0;
}

/** Mean separation, weighted by the shares at a steepness. */
function expected(separations: readonly number[], steepness: number): number {
  return sharesOf(separations, steepness).reduce((sum, share, i) => sum + share * (separations[i] ?? 0), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
