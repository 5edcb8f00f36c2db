// What tasks with labels have in common: losses, what smoothing does to targets, frequencies as a model, predictions.
import { sigmoidOf } from './logits.ts';
import type { LabelPrediction, TemperatureRules } from './task.ts';

/** Losses of labels, the default first. */
export const labelLosses = ['crossEntropy', 'focal', 'hinge'] as const;

/** A share that is spread evenly over outcomes, for each unit. */
export function spreadOver(outcomes: number, smoothing: number, units: number): number[] {
  return new Array<number>(units).fill(smoothing / outcomes);
}

/** `-Σ share · log share`: the cross-entropy of always giving the shares of what excludes each other. */
export function entropy(shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum + surprise(share), 0);
}

/** The mean over shares of what may each be or not be. */
export function meanBinaryEntropy(shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum + (surprise(share) + surprise(1 - share)), 0) / shares.length;
}

function surprise(share: number): number {
  return share > 0 ? -share * Math.log(share) : 0;
}

/** Labels with probabilities, the most probable first. */
export function ranked(
  labels: readonly string[],
  probabilities: readonly number[],
  topK: number,
  chosen?: (label: number) => boolean,
): LabelPrediction[] {
  return labels
    .map((label, index) => {
      return { label, probability: probabilities[index] ?? NaN, ...(chosen && { chosen: chosen(index) }) };
    })
    .sort((a, b) => b.probability - a.probability)
    .slice(0, topK);
}

/** Temperature where each logit is a decision of its own, at one half. */
export const temperatureOfEach: TemperatureRules = {
  losses: (units) => units,
  regret: (logits, target) =>
    logits.reduce((sum, logit) => sum + Math.max(logit, 0), 0) -
    logits.reduce((sum, logit, unit) => sum + logit * (target[unit] ?? 0), 0),
  decisions: (logits, target) =>
    Array.from(logits, (logit, unit) => {
      const probability = sigmoidOf(logit);
      return { confidence: Math.max(probability, 1 - probability), isRight: logit > 0 === (target[unit] ?? 0) > 0.5 };
    }),
};
