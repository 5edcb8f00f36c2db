// How distances become probabilities: a softmax of distances, as steep as makes the known examples most probable.
import { monotoneRoot } from '../measure/monotoneRoot.ts';

/** Distances of an example to every label, and which of them is its own. */
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
 * The steepness, from 0, that makes the labels of examples most probable: temperature scaling (Guo et al., On Calibration of
 * Modern Neural Networks, 2017). Own labels are to have (n + 1) / (n + 2) of n examples (Platt, Probabilistic Outputs for
 * Support Vector Machines, 1999), or labels that are all told apart would be certain without end.
 */
export function steepnessFor(judged: readonly Judged[]): number {
  const doubt = 1 / (judged.length + 2);
  const targets = judged.map(({ separations, own }) => {
    const other = separations.reduce((sum, each, i) => (i === own ? sum : sum + each), 0) / (separations.length - 1);
    return (1 - doubt) * (separations[own] ?? 0) + doubt * other;
  });
  /** The derivative of the mean negative log-likelihood, by the steepness in units of the separations; it only rises. */
  const unit = 1 / mean(targets);
  const slope = (steepness: number) =>
    mean(judged.map(({ separations }, i) => (targets[i] ?? 0) - expected(separations, steepness * unit)));
  return slope(0) < 0 ? monotoneRoot(slope) * unit : 0;
}

/** Mean separation under the shares of a steepness. */
function expected(separations: readonly number[], steepness: number): number {
  return sharesOf(separations, steepness).reduce((sum, share, i) => sum + share * (separations[i] ?? 0), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
